"""A SIPp that plays one of the scenarios here, and what it has sent and received."""

import asyncio
import email
import os
import re
import socket
import xml.etree.ElementTree as ET
from dataclasses import dataclass

from check import TIMEOUT, Failed
from house import PHONES
from local import free_port
from program import Program

HERE = os.path.dirname(os.path.abspath(__file__))

DIALOGS = "urn:ietf:params:xml:ns:dialog-info"

# What SIPp writes before each message into its file of messages.
HEAD = re.compile(r"^-{20,}.*\n(?:\w+ message (sent|received) .*|Unexpected .*)\n\n", re.MULTILINE)


@dataclass
class Message:
    """A SIP message."""
    received: bool
    text: str

    @property
    def start(self):
        """The first line."""
        return self.text.split("\n", 1)[0].strip()

    @property
    def body(self):
        """What comes after the headers, with lines as Python has them."""
        return self.text.partition("\r\n\r\n")[2].replace("\r\n", "\n")

    def header(self, name):
        """A header, or ""."""
        found = re.search(rf"^{re.escape(name)}:[ \t]*(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        return found.group(1) if found else ""

    @property
    def whole(self):
        """Whether all of it is there: SIPp may be about to write the rest."""
        head, end, body = self.text.partition("\r\n\r\n")
        return end != "" and len(body.encode()) >= int(self.header("Content-Length") or 0)

    @property
    def cseq(self):
        """The number of the request."""
        return int(self.header("CSeq").split()[0])


class Sipp(Program):
    """A SIPp with its scenario, by the name of a file here."""

    def __init__(self, house, scenario, user="", secret="", port=None, calls=1, server=None, **keys):
        super().__init__(f"sipp {scenario} {user}")
        self.dir, self.port = house.directory("sipp"), port or free_port(udp=True)
        self._file = os.path.join(self.dir, "messages")
        words = ["-sf", os.path.join(HERE, f"{scenario}.xml"), "-i", "127.0.0.1", "-p", str(self.port), "-m", str(calls), "-l", str(calls),
                 "-nostdin", "-trace_msg", "-message_file", self._file, "-trace_err", "-error_file", os.path.join(self.dir, "errors"),
                 "-timeout", "60", "-timeout_error", "-au", user, "-ap", secret, "-key", "user", user]
        if "target" in keys:  # else the digest is for the address of the server (RFC 7616 §3.4 wants the URI of the request)
            words += ["-auth_uri", keys["target"].removeprefix("sip:")]
        for key, value in keys.items():
            words += ["-key", key, value]
        self._command = ["sipp", f"127.0.0.1:{server or house.sip_port}", *words]
        house.guest(self)

    async def start(self):
        """Starts it."""
        self.run(*self._command, cwd=self.dir)
        return self

    async def plays(self, seconds=TIMEOUT):
        """Has it play its scenario to the end, and fails if that does not go as written; returns all messages."""
        await self.start()
        status = await self.ends(seconds)
        if status != 0:
            raise Failed(f"{self.label}: status {status}: {self._trouble()}")
        return self.messages()

    def _trouble(self):
        """What it complains about, and the last message."""
        try:
            with open(os.path.join(self.dir, "errors"), encoding="utf-8", errors="replace") as f:
                text = f.read()
        except FileNotFoundError:
            text = ""
        last = [m.start for m in self.messages()[-3:]]
        return f"{' '.join(text.split())[:500]} after {last}"

    def messages(self):
        """All messages so far."""
        try:
            with open(self._file, encoding="utf-8", errors="replace", newline="") as f:
                text = f.read()
        except FileNotFoundError:
            return []
        heads = list(HEAD.finditer(text))
        ends = [h.start() for h in heads[1:]] + [len(text)]
        all = [Message(h.group(1) == "received", text[h.end():end]) for h, end in zip(heads, ends) if h.group(1)]
        return [m for m in all if m.whole]

    async def has(self, what, find, seconds=TIMEOUT):
        """Waits until find returns something of the messages so far, and returns that."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (found := find(self.messages())) is None:
            if self.process.poll() is not None:
                raise Failed(f"{self.label} ended before {what}: {self._trouble()}")
            if asyncio.get_running_loop().time() > deadline:
                raise Failed(f"{self.label} waited in vain for {what}; there were {[m.start for m in self.messages()[-5:]]}")
            await asyncio.sleep(0.02)
        return found

    async def gets(self, start, since=0):
        """Waits for a message, after the first `since` ones, whose first line begins so."""
        return await self.has(start, lambda all: next((m for m in all[since:] if m.received and m.start.startswith(start)), None))

    def tell(self, call_id, body):
        """Gives the scenario, which waits for INFO in a call, a text."""
        request = (f"INFO sip:sipp@127.0.0.1:{self.port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{os.urandom(8).hex()}\r\n"
                   f"From: <sip:checks@localhost>;tag=1\r\nTo: <sip:sipp@localhost>\r\nCall-ID: {call_id}\r\nCSeq: 1 INFO\r\n"
                   f"Content-Type: text/plain\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}")
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.sendto(request.encode(), ("127.0.0.1", self.port))


@dataclass
class Lamp:
    """What a NOTIFY tells of the calls of a phone."""
    cseq: int
    version: int
    full: bool
    entity: str
    states: list


async def panel(house, device, target, server=None, whole_list=False):
    """Starts a panel of lamps for a phone, or for a list of them."""
    keys = {"accept": ", multipart/related, application/rlmi+xml", "supported": "eventlist"} if whole_list else {"accept": "", "supported": ""}
    return await Sipp(house, "panel", device.user, device.secret, server=server, target=target, domain=PHONES, **keys).start()


def listed(messages):
    """What a panel was told of a list: its versions in order, and the newest states of each phone in it."""
    versions, states = {}, {}
    for m in messages:
        if not m.received or not m.start.startswith("NOTIFY") or m.cseq in versions:
            continue
        parts = email.message_from_string(f"Content-Type: {m.header('Content-Type')}\n\n{m.body}").get_payload()
        versions[m.cseq] = int(ET.fromstring(parts[0].get_payload().strip().encode()).get("version"))
        for part in parts[1:]:
            e = ET.fromstring(part.get_payload().strip().encode())
            states[e.get("entity")] = [d.findtext(f"{{{DIALOGS}}}state") for d in e.iter(f"{{{DIALOGS}}}dialog")]
    return list(versions.values()), states


def lamps(messages):
    """What a panel was told, in order, each once."""
    told = {}
    for m in messages:
        if not m.received or not m.start.startswith("NOTIFY") or m.cseq in told:
            continue
        e = ET.fromstring(m.body.strip().encode())
        told[m.cseq] = Lamp(m.cseq, int(e.get("version")), e.get("state") == "full", e.get("entity"),
                            [d.findtext(f"{{{DIALOGS}}}state") for d in e.iter(f"{{{DIALOGS}}}dialog")])
    return list(told.values())


async def lights(panel, states, since=0):
    """Waits until the newest that a panel was told, after the first `since`, are these states; returns all it was told."""
    def find(messages):
        all = lamps(messages)
        return all if len(all) > since and all[-1].states == states else None
    return await panel.has(f"a NOTIFY with {states}", find)
