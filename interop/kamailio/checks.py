"""Checks with Kamailio: as a PBX whose presence server tells of its phones, and as a proxy between
phones and us, through which they register, call and watch.

ROLLCALL is the program. Everything runs on the loopback in directories of its own.
"""

import asyncio
import dataclasses
import logging

logging.disable()  # slixmpp logs what a check expects

from baresip import Baresip
from check import Report, expect
from house import DOMAIN
from kamailio import Kamailio
from linphone import Linphone
from local import free_port
from runner import run
from sipp import lights, panel

report = Report("kamailio")

KAMAILIO = Kamailio(DOMAIN, free_port(udp=True))

# As sip.upstreams wants it. SIPp, which is behind the proxy, takes the first challenge for the only one.
MORE = f"""
algorithms = ["MD5"]
upstreams = [{{ name = "kamailio", host = "{KAMAILIO.host}", user = "rollcall", secret = "{KAMAILIO.secret}", packages = ["dialog", "presence"] }}]
"""

# How soon all is to be right again after a crash, in seconds.
SOON = 10


async def prepare(house):
    """Starts Kamailio before any check."""
    KAMAILIO.prepare(house)
    await KAMAILIO.start()


class Lines:
    """Alice's and Bob's phones, which register at Kamailio and are lines there to us; Carol sees them all."""

    def __init__(self, house):
        self.house = house
        self.alice, self.bob, self.carol = (house.account_of(n) for n in ("alice", "bob", "carol"))
        self.staff = house.colleagues(self.alice, self.bob, self.carol)
        self.hers, self.his = (house.device(p, self.staff, "--upstream", "kamailio", secret=False) for p in (self.alice, self.bob))

    def there(self, line):
        """A line as Kamailio knows it."""
        return dataclasses.replace(line, jid=f"{line.user}@{KAMAILIO.host}", secret=KAMAILIO.secret)

    async def open(self):
        """Has them register, until Carol sees them."""
        self.watcher = await self.house.client(self.carol)
        self.desk = await self.house.client(self.alice)
        await self.watcher.sees(self.hers.jid, "away", "^Status unknown")  # nobody has registered yet
        self.one, self.other = [await Baresip(self.house, self.there(d), proxy=KAMAILIO.port).start() for d in (self.hers, self.his)]
        for line in (self.hers, self.his):
            await self.watcher.sees(line.jid, "", "^Ready")
        return self

    async def talk(self):
        """Has Alice call Bob at Kamailio."""
        since = self.watcher.mark()
        await self.one.command("dial", self.there(self.his).uri)
        await self.other.happens("CALL_INCOMING")
        await self.watcher.sees(self.hers.jid, "dnd", "^Dialling", since)
        await self.watcher.sees(self.his.jid, "dnd", "^Ringing", since)
        await self.other.command("accept")
        await self.see_them_talk(since)

    async def see_them_talk(self, since=0):
        """Waits until Carol sees the call of both people and both lines."""
        for line in (self.hers, self.his):
            await self.watcher.sees(line.jid, "dnd", "^In call", since)
        for person in (self.alice, self.bob):
            await self.watcher.sees(person.jid, "dnd", "^On the phone", since)

    def close(self):
        """Has the lines removed, so that nobody asks for them any more."""
        self.house.run("device", "remove", self.hers.user, self.his.user)


async def learn_from_kamailio(house):
    """Its presence server tells who has registered there, and who is in a call; Alice's own client sees nothing."""
    lines = Lines(house)
    try:
        await lines.open()
        own = lines.desk.mark()
        await lines.talk()
        since = lines.watcher.mark()
        await lines.one.command("hangup")
        for line in (lines.hers, lines.his):
            await lines.watcher.sees(line.jid, "", "^Ready", since)
        await lines.watcher.sees(lines.alice.jid, "", "^$", since)
        await lines.watcher.sees(lines.bob.jid, "away", "^Desk phone only", since)
        await lines.desk.barrier()
        expect(not lines.desk.saw(lines.alice.jid, own), f"she saw herself as {lines.desk.saw(lines.alice.jid, own)}")
        await lines.one.command("quit")
        await lines.watcher.sees(lines.hers.jid, "unavailable", since=since)
    finally:
        lines.close()


async def survive_a_crash_of_the_server(house):
    """kill -9 while there is a call at Kamailio: it is asked anew, and nobody is shown as free in between."""
    lines = Lines(house)
    try:
        await lines.open()
        await lines.talk()
        house.kill()
        house.start()
        lines.watcher = await house.client(lines.carol)
        lines.desk = await house.client(lines.alice)
        await asyncio.wait_for(lines.see_them_talk(), SOON)
        seen = [s for line in (lines.hers, lines.his) for s in lines.watcher.saw(line.jid) if not s[1].startswith("In call")]
        expect(not seen, f"after the restart they were seen as {seen}")
        since = lines.watcher.mark()
        await lines.one.command("hangup")
        for line in (lines.hers, lines.his):
            await lines.watcher.sees(line.jid, "", "^Ready", since)
    finally:
        lines.close()


async def come_through_a_proxy(house):
    """A phone registers with us through Kamailio (RFC 3327), is called through it, and watches people through it."""
    alice, bob, carol = (house.account_of(n) for n in ("alice", "bob", "carol"))
    staff = house.colleagues(alice, bob, carol)
    hers, his, panels = (house.device(p, staff) for p in (alice, bob, carol))
    watcher = await house.client(carol)
    linphone = await Linphone(house, hers).start()
    baresip = await Baresip(house, his, [("Carol", carol.jid)], proxy=KAMAILIO.port).start()
    await watcher.sees(his.jid, "", "^Ready")
    lamp = await panel(house, panels, his.uri, server=KAMAILIO.port)
    await lights(lamp, [])
    await baresip.contact_is("Carol", "Online")
    watcher.send_presence(pshow="dnd")
    await baresip.contact_is("Carol", "Busy")
    since = watcher.mark()
    linphone.type(f"call {his.uri}")
    await baresip.happens("CALL_INCOMING")
    await lights(lamp, ["early"])
    await watcher.sees(his.jid, "dnd", "^Ringing", since)
    await baresip.command("accept")
    await baresip.happens("CALL_ESTABLISHED")
    await lights(lamp, ["confirmed"])
    for who, text in ((hers.jid, "^In call"), (his.jid, "^In call"), (alice.jid, "^On the phone"), (bob.jid, "^On the phone")):
        await watcher.sees(who, "dnd", text, since)
    since = watcher.mark()
    await baresip.command("hangup")
    await watcher.sees(his.jid, "", "^Ready", since)
    await lights(lamp, [], since=1)
    watcher.send_message(mto=his.jid, mbody="Through there?", mtype="chat")
    await baresip.says("Through there\\?")
    await baresip.command("quit")
    await watcher.sees(his.jid, "unavailable", since=since)


CHECKS = (learn_from_kamailio, survive_a_crash_of_the_server, come_through_a_proxy)

if __name__ == "__main__":
    run(report, CHECKS, MORE, prepare, KAMAILIO.stop)
