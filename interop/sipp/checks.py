"""Checks with SIPp: as a panel of lamps, as a phone that publishes, and as a PBX that tells of its lines.

ROLLCALL is the program. Everything runs on the loopback in directories of its own. This version of
SIPp proves who it is by MD5, and takes the first challenge that it gets for the only one.
"""

import asyncio
import logging

logging.disable()  # slixmpp logs what a check expects

from baresip import Baresip
from check import Report, expect
from house import DOMAIN
from local import free_port
from runner import run
from sipp import DIALOGS, Sipp, lamps, lights, listed, panel

report = Report("sipp")

PBX = free_port(udp=True)

MORE = f"""
algorithms = ["MD5"]
upstreams = [{{ name = "hq", host = "127.0.0.1:{PBX}" }}]
"""

# How soon all is to be right again after a crash, in seconds.
SOON = 10


def dialog_info(version, state, dialogs="", entity="sip:line@pbx.example"):
    """A document about calls, in one line."""
    return f'<dialog-info xmlns="{DIALOGS}" version="{version}" state="{state}" entity="{entity}">{dialogs}</dialog-info>'


CALL = '<dialog id="a" call-id="c" local-tag="1" remote-tag="2" direction="recipient"><state>{}</state></dialog>'

PIDF = ('<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" '
        'xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="{}"><tuple id="t"><status><basic>open</basic></status></tuple>'
        '<dm:person id="p"><rpid:activities>{}</rpid:activities></dm:person></presence>')


class Room:
    """Two baresips who may call each other, watched by Carol and by a panel."""

    def __init__(self, house):
        self.house = house
        self.alice, self.bob, self.carol = (house.account_of(n) for n in ("alice", "bob", "carol"))
        self.staff = house.colleagues(self.alice, self.bob, self.carol)
        self.hers, self.his, self.panels = (house.device(p, self.staff) for p in (self.alice, self.bob, self.carol))

    async def open(self):
        """Has everybody come."""
        self.one, self.other = await Baresip(self.house, self.hers).start(), await Baresip(self.house, self.his).start()
        self.panel = await panel(self.house, self.panels, self.his.uri)
        await lights(self.panel, [])
        return self

    async def talk(self):
        """Has Alice call Bob."""
        await self.one.command("dial", self.his.uri)
        await self.other.happens("CALL_INCOMING")
        await lights(self.panel, ["early"])
        await self.other.command("accept")
        await self.one.happens("CALL_ESTABLISHED")
        await lights(self.panel, ["confirmed"])


async def light_a_panel(house):
    """A panel gets whole documents whose versions rise by one: early, confirmed, and nothing any more."""
    room = await Room(house).open()
    await room.talk()
    await room.one.command("hangup")
    told = await lights(room.panel, [], since=1)
    for n, lamp in enumerate(told):
        expect(lamp.full and lamp.entity == room.his.uri, f"{lamp}")
        expect(lamp.version == n and lamp.cseq == told[0].cseq + n, f"number {n} is {lamp}")
    states = [s for lamp in told for s in lamp.states]
    expect([s for s in states if s != "trying"] == ["early", "confirmed"], f"the states were {states}")


async def light_a_panel_by_a_list(house):
    """One SUBSCRIBE lights the lamps of all phones in a group of the roster (RFC 4662)."""
    room = await Room(house).open()
    whole = await panel(house, room.panels, f"sip:blf-phones-{room.staff}@{DOMAIN}", whole_list=True)
    await whole.has("a list", lambda all: all if {room.hers.uri, room.his.uri} <= listed(all)[1].keys() else None)
    await room.talk()

    def both(*states):
        def find(messages):
            told = listed(messages)[1]
            return told if told[room.hers.uri] == told[room.his.uri] == list(states) else None
        return find
    await whole.has("two lamps that are lit", both("confirmed"))
    await room.other.command("hangup")
    await whole.has("two lamps that are not", both())
    versions = listed(whole.messages())[0]
    expect(versions == list(range(len(versions))), f"the versions are {versions}")


async def publish(house, device, event, kind, body="", tag=None, expires=600):
    """Has a phone publish something; returns the status, and the tag that it got."""
    condition = f"\r\nSIP-If-Match: {tag}" if tag else ""
    sipp = Sipp(house, "publish", device.user, device.secret, target=device.uri, event=event, type=f"application/{kind}+xml",
                body=body, condition=condition, expires=str(expires))
    answer = [m for m in await sipp.plays() if m.received][-1]
    return int(answer.start.split()[1]), answer.header("SIP-ETag")


async def publish_calls(house):
    """RFC 3903: calls are published, refreshed, modified and removed, each under a new tag; what is wrong is refused."""
    alice, carol = house.account_of("alice"), house.account_of("carol")
    phone = house.device(alice, house.colleagues(alice, carol))
    desk, watcher = await house.client(alice), await house.client(carol)
    calls = ("dialog", "dialog-info")
    since = watcher.mark()
    status, first = await publish(house, phone, *calls, dialog_info(0, "full", CALL.format("confirmed"), phone.uri))
    expect(status == 200 and first, f"the first is {status}")
    await watcher.sees(alice.jid, "dnd", "^On the phone", since)
    status, second = await publish(house, phone, *calls, tag=first)
    expect(status == 200 and second not in ("", first), f"a refresh is {status} {second}")
    status, _ = await publish(house, phone, *calls, tag=first)
    expect(status == 412, f"an old tag is {status}")
    since = watcher.mark()
    status, third = await publish(house, phone, *calls, dialog_info(1, "full", "", phone.uri), tag=second)
    expect(status == 200, f"a change is {status}")
    await watcher.sees(alice.jid, "", "^$", since)
    status, _ = await publish(house, phone, *calls, tag=third, expires=0)
    expect(status == 200, f"a removal is {status}")
    status, _ = await publish(house, phone, *calls, tag=third, expires=0)
    expect(status == 412, f"another removal is {status}")
    for want, words in ((489, ("weather", "dialog-info", dialog_info(0, "full"))), (415, ("dialog", "weather", "<rain/>")), (400, calls)):
        status, _ = await publish(house, phone, *words)
        expect(status == want, f"{words[:2]} is {status}")
    status, _ = await publish(house, phone, *calls, dialog_info(0, "full"), expires=5)
    expect(status == 423, f"5 seconds are {status}")
    await desk.barrier()
    expect(not desk.saw(alice.jid, 0)[1:], f"her own client saw {desk.saw(alice.jid)}")


async def publish_presence(house):
    """What is set at a phone is seen of its owner, as long as it is set."""
    alice, carol = house.account_of("alice"), house.account_of("carol")
    phone = house.device(alice, house.colleagues(alice, carol))
    await house.client(alice)
    watcher = await house.client(carol)
    since, tag = watcher.mark(), None
    for activity, show, status in (("<rpid:busy/>", "dnd", "^Do not disturb"), ("<rpid:on-the-phone/>", "dnd", "^On the phone"),
                                   ("", "", "^$")):
        code, tag = await publish(house, phone, "presence", "pidf", PIDF.format(phone.uri, activity), tag)
        expect(code == 200, f"{activity} is {code}")
        await watcher.sees(alice.jid, show, status, since)
        since = watcher.mark()


async def learn_from_a_pbx(house):
    """What a PBX tells of a line that is registered there is seen of it and of its owner: calls, and their end."""
    alice, carol = house.account_of("alice"), house.account_of("carol")
    staff = house.colleagues(alice, carol)
    await house.client(alice)
    watcher = await house.client(carol)
    pbx = await Sipp(house, "pbx", port=PBX, calls=100, document=dialog_info(0, "full")).start()
    await started(pbx)
    line = house.device(alice, staff, "--upstream", "hq", secret=False)
    try:
        await watcher.sees(line.jid, "", "^Ready")
        asked = await pbx.gets("SUBSCRIBE")
        expect(asked.start == f"SUBSCRIBE sip:{line.user}@127.0.0.1:{PBX} SIP/2.0" and asked.header("Event") == "dialog", asked.start)
        for version, (state, show, text) in enumerate((("early", "dnd", "^Ringing"), ("confirmed", "dnd", "^In call"), ("terminated", "", "^Ready")), 1):
            since = watcher.mark()
            pbx.tell(asked.header("Call-ID"), dialog_info(version, "partial", CALL.format(state)))
            await watcher.sees(line.jid, show, text, since)
            if state == "confirmed":
                await watcher.sees(alice.jid, "dnd", "^On the phone", since)
            if state == "terminated":
                await watcher.sees(alice.jid, "", "^$", since)
    finally:
        house.run("device", "remove", line.user)


async def started(pbx):
    """Waits until a SIPp that waits for calls listens."""
    await pbx.says("Scenario Screen")


async def survive_a_crash_of_the_server(house):
    """kill -9: the panel's CSeq and versions never go back, and a PBX is asked anew; nothing is shown idle that is in a call."""
    room = await Room(house).open()
    pbx = await Sipp(house, "pbx", port=PBX, calls=100, document=dialog_info(0, "full", CALL.format("confirmed"))).start()
    await started(pbx)
    watcher = await house.client(room.carol)
    line = house.device(None, room.staff, "--upstream", "hq", secret=False)
    try:
        await watcher.sees(line.jid, "dnd", "^In call")
        await room.talk()
        await house.stored("sip_dialog")
        before, asked = len(lamps(room.panel.messages())), len(pbx.messages())
        house.kill()
        house.start()
        watcher = await house.client(room.carol)
        for device in (line, room.hers, room.his):
            await asyncio.wait_for(watcher.sees(device.jid, "dnd", "^In call"), SOON)
        again = await pbx.gets("SUBSCRIBE", asked)
        await pbx.gets("SIP/2.0 200", asked)
        since = watcher.mark()
        await room.one.command("hangup")
        pbx.tell(again.header("Call-ID"), dialog_info(1, "partial", CALL.format("terminated")))
        for device in (line, room.hers, room.his):
            await watcher.sees(device.jid, "", "^Ready", since)
            wrong = [s for s in watcher.saw(device.jid, 0, since) if not s[1].startswith("In call")]
            expect(not wrong, f"after the restart {device.jid} was seen as {wrong}")
        told = await lights(room.panel, [], since=before)
        for last, lamp in zip(told, told[1:]):
            expect(lamp.version > last.version and lamp.cseq > last.cseq, f"{lamp} after {last}")
            expect(lamp is told[-1] or lamp.states, f"{lamp} while there was a call")
    finally:
        house.run("device", "remove", line.user)


CHECKS = (light_a_panel, light_a_panel_by_a_list, publish_calls, publish_presence, learn_from_a_pbx, survive_a_crash_of_the_server)

if __name__ == "__main__":
    run(report, CHECKS, MORE)
