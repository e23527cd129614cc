"""A Kamailio on the loopback, with a directory of its own: a PBX with a presence server."""

import asyncio
import contextlib
import os
import platform
import secrets
import signal
import sqlite3
import subprocess

from check import Failed

HERE = os.path.dirname(os.path.abspath(__file__))
TABLES = "/usr/share/kamailio/db_sqlite"


class Kamailio:
    """A PBX whose phones have addresses at host and one secret, and which sends on what is for a house."""

    def __init__(self, house_domain, port):
        self.port, self.process = port, None
        self.host = f"127.0.0.1:{port}"
        self.secret = secrets.token_urlsafe(12)
        self._domain = house_domain

    def prepare(self, house):
        """Writes its configuration."""
        self.dir = house.directory("kamailio")
        database = os.path.join(self.dir, "kamailio.db")
        with contextlib.closing(sqlite3.connect(database)) as db:
            for name in ("standard", "presence"):
                with open(os.path.join(TABLES, f"{name}-create.sql"), encoding="utf-8") as f:
                    db.executescript(f.read())
        with open(os.path.join(HERE, "kamailio.cfg.in"), encoding="utf-8") as f:
            text = f.read()
        for word, value in (("PORT", self.port), ("NEXT", house.sip_port), ("DB", database), ("SECRET", self.secret),
                            ("HOUSE", self._domain), ("REALM", "pbx.example"), ("ARCH", f"{platform.machine()}-linux-gnu")):
            text = text.replace(f"@{word}@", str(value))
        self.config = os.path.join(self.dir, "kamailio.cfg")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text)

    async def start(self):
        """Starts it, and waits until it answers."""
        with open(os.path.join(self.dir, "log"), "ab") as out:
            self.process = subprocess.Popen(["kamailio", "-DD", "-E", "-f", self.config, "-Y", self.dir, "-w", self.dir, "-m", "32"],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        deadline = asyncio.get_running_loop().time() + 30
        while not await self._answers():
            if self.process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
                    raise Failed(f"Kamailio does not run: {f.read()[-2000:]}")
            await asyncio.sleep(0.05)
        return self

    async def _answers(self):
        """Whether it answers OPTIONS."""
        loop = asyncio.get_running_loop()
        answer = loop.create_future()

        class Ask(asyncio.DatagramProtocol):
            def datagram_received(self, data, addr):
                if not answer.done():
                    answer.set_result(True)

            def error_received(self, exc):
                if not answer.done():
                    answer.set_result(False)

        transport, _ = await loop.create_datagram_endpoint(Ask, remote_addr=("127.0.0.1", self.port))
        me = transport.get_extra_info("sockname")[1]
        transport.sendto((f"OPTIONS sip:nobody@nowhere.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{me};branch=z9hG4bK{me};rport\r\n"
                          f"From: <sip:checks@localhost>;tag=1\r\nTo: <sip:nobody@nowhere.example>\r\nCall-ID: {me}\r\n"
                          "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode())
        try:
            return await asyncio.wait_for(answer, 0.2)
        except asyncio.TimeoutError:
            return False
        finally:
            transport.close()

    async def stop(self):
        """Stops it, if it runs, with its children, which are of its group."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.get_running_loop().run_in_executor(None, self.process.wait, 20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None
