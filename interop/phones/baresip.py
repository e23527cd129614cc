"""A baresip without sound, controlled over its module ctrl_tcp."""

import asyncio
import json
import os

from check import TIMEOUT, Failed
from local import free_port
from program import Program

CONFIG = """
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
rtp_ports {rtp}-{rtp_end}
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module aubridge.so
module uuid.so
module account.so
module contact.so
module menu.so
module presence.so
module ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
audio_player aubridge,nil
audio_source aubridge,nil
audio_alert aubridge,nil
"""


class Baresip(Program):
    """A baresip that is one device. With proxy it comes to the house, or elsewhere, by that port."""

    def __init__(self, house, device, contacts=(), secret=None, proxy=None, tcp=False):
        super().__init__(f"baresip {device.user}")
        self.device, self.events = device, []
        self.dir = house.directory("baresip")
        sip, rtp, self.control = free_port(udp=True, row=2), free_port(udp=True, row=12), free_port()
        self._connection = None
        self._write("config", CONFIG.format(sip=sip, control=self.control, rtp=rtp, rtp_end=rtp + 11))
        nat = "" if proxy else ";sipnat=outbound"  # it has its instance said, and insists on RFC 5626
        self._write("accounts", f'<sip:{device.jid}>;auth_pass={secret or device.secret};regint=120;'
                                f'outbound="sip:127.0.0.1:{proxy or house.sip_port}{";transport=tcp" if tcp else ""}"{nat}\n')
        self._write("contacts", "".join(f'"{name}" <sip:{jid}>;presence=p2p\n' for name, jid in contacts))
        house.guest(self)

    def _write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    async def start(self, registers=True):
        """Starts it, and waits until it is registered."""
        self.events, since = [], self.mark()
        self.run("baresip", "-f", self.dir, cwd=self.dir, HOME=self.dir)
        await self.says("baresip is ready", since)  # and listens
        reader, self._connection = await asyncio.open_connection("127.0.0.1", self.control)
        self._reader = asyncio.ensure_future(self._listen(reader))
        if registers:
            await self.says("registered successfully|200 OK", since)
        return self

    async def _listen(self, reader):
        """Reads netstrings with JSON."""
        try:
            while True:
                size = int((await reader.readuntil(b":"))[:-1])
                self.events.append(json.loads(await reader.readexactly(size)))
                await reader.readexactly(1)
                self._news.set()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass

    async def command(self, command, params=""):
        """Gives a command, and returns what it answers."""
        token = f"t{len(self.events)}-{command}"
        text = json.dumps({"command": command, "params": params, "token": token}).encode()
        self._connection.write(b"%d:%s," % (len(text), text))
        got = await self.until(f"the answer to {command}", lambda: next((e for e in self.events if e.get("token") == token), None))
        if not got["ok"]:
            raise Failed(f"{self.label}: {command}: {got['data']}")
        return got["data"]

    async def happens(self, event, since=0, seconds=TIMEOUT):
        """Waits for an event: CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, and so on."""
        return await self.until(event, lambda: next((e for e in self.events[since:] if e.get("type") == event), None), seconds)

    async def contact_is(self, name, state, seconds=TIMEOUT):
        """Waits until it shows a contact in a state."""
        deadline = asyncio.get_running_loop().time() + seconds
        while state not in (shown := next((line for line in (await self.command("contacts")).splitlines() if name in line), "")):
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"{self.label} shows {shown.strip()!r}, not {state}")
            await asyncio.sleep(0.05)

    async def stop(self, *how):
        """Ends it; that is without a word if it is killed."""
        await super().stop(*how)
        if self._connection:
            self._connection.close()
            self._reader.cancel()
            self._connection = None
