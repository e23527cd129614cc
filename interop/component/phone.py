"""A SIP telephone, as small as it can be: it registers, calls, answers, writes and watches, over UDP."""

import asyncio
import hashlib
import re
import secrets

from check import TIMEOUT, Failed

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class Msg:
    """A request or a response."""

    def __init__(self, text):
        head, _, self.body = text.partition("\r\n\r\n")
        self.first, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        self.fields = [(n.strip().lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        words = self.first.split(" ")
        self.status = int(words[1]) if words[0] == "SIP/2.0" else 0
        self.method = self["cseq"].split()[1] if self.status else words[0]

    def all(self, name):
        """The values of a header."""
        return [v for n, v in self.fields if n == name]

    def __getitem__(self, name):
        return next(iter(self.all(name)), "")


def _hash(algorithm, text):
    name = "sha256" if algorithm.upper() == "SHA-256" else "md5"
    return hashlib.new(name, text.encode()).hexdigest()


class Phone(asyncio.DatagramProtocol):
    """A device of the gateway."""

    def __init__(self, user, secret, domain, port):
        self.user, self.secret, self.domain, self.server = user, secret, domain, ("127.0.0.1", port)
        self.seen, self.calls = [], {}  # what came; the dialogs, by Call-ID
        self._news = asyncio.Event()
        self._cseq = 0
        self.wire = self.at = None

    async def plug_in(self):
        """Opens the socket."""
        self.wire, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        self.at = "127.0.0.1:%d" % self.wire.get_extra_info("sockname")[1]
        return self

    def unplug(self):
        """Closes it."""
        self.wire.close()

    def datagram_received(self, data, addr):
        if not data.strip():
            return
        msg = Msg(data.decode())
        self.seen.append(msg)
        if not msg.status and msg.method in ("OPTIONS", "BYE", "MESSAGE", "NOTIFY", "CANCEL"):
            self.answer(msg, 200, "OK")
        self._news.set()

    async def gets(self, what, match, since=0):
        """Waits for a message after the first `since` ones that matches."""
        end = asyncio.get_running_loop().time() + TIMEOUT
        while True:
            self._news.clear()
            for msg in self.seen[since:]:
                if match(msg):
                    return msg
            try:
                await asyncio.wait_for(self._news.wait(), max(end - asyncio.get_running_loop().time(), 0))
            except asyncio.TimeoutError:
                raise Failed(f"{self.user} waited in vain for {what}; it got {[m.first for m in self.seen[since:]]}") from None

    def _send(self, text):
        self.wire.sendto(text.encode(), self.server)

    def _request(self, method, uri, call, extra=(), body="", cseq=None):
        routes = "".join(f"Route: {r}\r\n" for r in call.get("routes", ()))
        to = call.get("to", f"<{uri}>")
        self._send(f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.at};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                   f"Max-Forwards: 70\r\nFrom: <sip:{self.user}@{self.domain}>;tag={call['tag']}\r\nTo: {to}\r\n"
                   f"Call-ID: {call['id']}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{self.user}@{self.at}>\r\n{routes}"
                   + "".join(f"{n}: {v}\r\n" for n, v in extra) + f"Content-Length: {len(body.encode())}\r\n\r\n{body}")

    async def ask(self, method, uri, extra=(), body="", call=None):
        """Sends a request, proves who it is if asked, and returns the final response."""
        call = call or {"id": secrets.token_hex(8), "tag": secrets.token_hex(4)}
        proof = []
        for _ in range(3):
            self._cseq += 1
            cseq, since = self._cseq, len(self.seen)
            self._request(method, uri, call, [*extra, *proof], body, cseq)
            done = await self.gets(f"the answer to {method}", lambda m, n=cseq: m.status >= 200 and
                                   m["call-id"] == call["id"] and m["cseq"] == f"{n} {method}", since)
            if method == "INVITE" and done.status >= 300:
                self._request("ACK", uri, {**call, "to": done["to"]}, cseq=cseq)
            if done.status not in (401, 407):
                return done
            name = "Authorization" if done.status == 401 else "Proxy-Authorization"
            challenge = done["www-authenticate"] or done["proxy-authenticate"]
            proof = [(name, self._proof(challenge, method, uri))]
        raise Failed(f"{self.user} is not believed: {done.first}")

    def _proof(self, challenge, method, uri):
        said = {k.lower(): v.strip('"') for k, v in re.findall(r'(\w+)=("[^"]*"|[^\s,]+)', challenge)}
        algorithm, nonce, realm = said.get("algorithm", "MD5"), said["nonce"], said["realm"]
        one = _hash(algorithm, f"{self.user}:{realm}:{self.secret}")
        two, cnonce = _hash(algorithm, f"{method}:{uri}"), secrets.token_hex(8)
        proof = _hash(algorithm, f"{one}:{nonce}:00000001:{cnonce}:auth:{two}")
        opaque = f', opaque="{said["opaque"]}"' if "opaque" in said else ""
        return (f'Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm={algorithm}, '
                f'response="{proof}", qop=auth, nc=00000001, cnonce="{cnonce}"{opaque}')

    async def register(self, expires=300):
        """Registers; 0 takes it back."""
        call = {"id": f"register-{self.user}", "tag": secrets.token_hex(4), "to": f"<sip:{self.user}@{self.domain}>"}
        done = await self.ask("REGISTER", f"sip:{self.domain}", [("Expires", expires)], call=call)
        if done.status != 200:
            raise Failed(f"{self.user} cannot register: {done.first}")

    async def write(self, to, text):
        """Writes to an address; returns the status."""
        done = await self.ask("MESSAGE", to, [("Content-Type", "text/plain")], text)
        return done.status

    async def watch(self, whom):
        """Subscribes to the presence of an address."""
        done = await self.ask("SUBSCRIBE", whom, [("Event", "presence"), ("Accept", "application/pidf+xml"), ("Expires", 600)])
        if done.status != 200:
            raise Failed(f"{self.user} cannot watch {whom}: {done.first}")

    async def ring(self, other):
        """Calls another phone, which answers."""
        call = {"id": secrets.token_hex(8), "tag": secrets.token_hex(4)}
        since = len(other.seen)
        calling = asyncio.ensure_future(self.ask("INVITE", f"sip:{other.user}@{self.domain}",
                                                 [("Content-Type", "application/sdp")], SDP, call))
        invite = await other.gets("a call", lambda m: m.method == "INVITE" and not m.status, since)
        other.answer(invite, 180, "Ringing")
        other.answer(invite, 200, "OK", SDP)
        done = await calling
        if done.status != 200:
            raise Failed(f"{other.user} cannot be called: {done.first}")
        call.update(to=done["to"], routes=list(reversed(done.all("record-route"))))
        call["uri"] = re.search(r"<([^>]*)>", done["contact"]).group(1)
        self._request("ACK", call["uri"], call, cseq=self._cseq)
        self.calls[call["id"]] = call
        return call

    async def hang_up(self, call):
        """Ends a call."""
        done = await self.ask("BYE", call["uri"], call=call)
        if done.status != 200:
            raise Failed(f"{self.user} cannot hang up: {done.first}")

    def answer(self, msg, status, reason, body=""):
        """Answers a request."""
        to = msg["to"] if "tag=" in msg["to"] else f"{msg['to']};tag={self.user}x{msg['call-id'][:8]}"
        copied = "".join(f"{n.title()}: {v}\r\n" for n, v in msg.fields if n in ("via", "record-route"))
        kind = "Content-Type: application/sdp\r\n" if body else ""
        self._send(f"SIP/2.0 {status} {reason}\r\n{copied}From: {msg['from']}\r\nTo: {to}\r\nCall-ID: {msg['call-id']}\r\n"
                   f"CSeq: {msg['cseq']}\r\nContact: <sip:{self.user}@{self.at}>\r\n{kind}Content-Length: {len(body)}\r\n\r\n{body}")
