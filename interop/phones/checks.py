"""Checks with telephones: linphonec and baresip register, call each other, watch people and write
to them, while slixmpp clients see what they should; and servers and telephones that die.

ROLLCALL is the program. Everything runs on the loopback in directories of its own.
"""

import asyncio
import logging

logging.disable()  # slixmpp logs what a check expects

from slixmpp.stanza import Message

from baresip import Baresip
from check import Report, expect
from linphone import Linphone
from runner import run

report = Report("phones")

# How soon a state is to be right again after a server or a telephone died, in seconds.
SOON = 10


class Office:
    """Alice, whose phone is a linphonec, and Bob, whose phone is a baresip, seen by their colleague Carol."""

    def __init__(self, house):
        self.house = house
        self.alice, self.bob, self.carol = (house.account_of(n) for n in ("alice", "bob", "carol"))
        self.staff = house.colleagues(self.alice, self.bob, self.carol)
        self.hers = house.device(self.alice, self.staff)
        self.his = house.device(self.bob, self.staff)

    async def open(self, friends=(), contacts=(), tcp=False):
        """Has all three log in, and the phones register."""
        self.desk = await self.house.client(self.alice)
        self.home = await self.house.client(self.bob, pshow="away", pstatus="at home")
        self.watcher = await self.house.client(self.carol)
        self.linphone = await Linphone(self.house, self.hers, friends, tcp=tcp).start()
        self.baresip = await Baresip(self.house, self.his, contacts, tcp=tcp).start()
        await self.idle()
        return self

    async def idle(self, since=0, seconds=None):
        """Waits until Carol sees everybody as they are without a call."""
        async def all_of_it():
            for phone in (self.hers, self.his):
                await self.watcher.sees(phone.jid, "", "^Ready", since)
            await self.watcher.sees(self.alice.jid, "", "^$", since)
            await self.watcher.sees(self.bob.jid, "away", "^at home$", since)
        await asyncio.wait_for(all_of_it(), seconds)

    async def ring(self):
        """Has Alice call Bob, until Carol sees it ring."""
        since = self.watcher.mark()
        events = len(self.baresip.events)
        self.linphone.type(f"call {self.his.uri}")
        await self.baresip.happens("CALL_INCOMING", events)
        await self.watcher.sees(self.hers.jid, "dnd", "^Dialling", since)
        await self.watcher.sees(self.his.jid, "dnd", "^Ringing", since)
        return since

    async def talk(self):
        """Has Alice call Bob, and him answer, until Carol sees it."""
        await self.ring()
        since = self.watcher.mark()
        await self.baresip.command("accept")
        await self.baresip.happens("CALL_ESTABLISHED")
        await self.see_them_talk(since)

    async def see_them_talk(self, since=0):
        """Waits until Carol sees everybody in a call."""
        for phone in (self.hers, self.his):
            await self.watcher.sees(phone.jid, "dnd", "^In call", since)
        for person in (self.alice, self.bob):
            await self.watcher.sees(person.jid, "dnd", "^On the phone", since)

    async def holding(self, person, phone, since):
        """Waits until Carol sees that somebody holds their call."""
        await self.watcher.sees(person.jid, "dnd", r"^On the phone \(hold\)", since)
        await self.watcher.sees(phone.jid, "dnd", r"^In call \(hold\)", since)

    async def holding_no_more(self, person, phone, since):
        """Waits until Carol sees that they do so no more."""
        await self.watcher.sees(person.jid, "dnd", r"^On the phone(?! \(hold)", since)
        await self.watcher.sees(phone.jid, "dnd", r"^In call(?! \(hold)", since)


async def register_by_digest(house):
    """Both register, by SHA-256 and MD5, as they know; devices come and go as they do."""
    office = Office(house)
    watcher = await house.client(office.carol)
    linphone = await Linphone(house, office.hers).start()
    await watcher.sees(office.hers.jid, "", "^Ready")
    await linphone.says("Authorization: .*algorithm=SHA-256")  # it was offered MD5, too
    baresip = await Baresip(house, office.his).start()
    await watcher.sees(office.his.jid, "", "^Ready")
    linphone.type("unregister")
    await watcher.sees(office.hers.jid, "unavailable")
    await baresip.command("quit")
    await watcher.sees(office.his.jid, "unavailable")


async def refuse_a_wrong_password(house):
    """Neither gets in with a wrong password, and nobody sees anything of it."""
    office = Office(house)
    watcher = await house.client(office.carol)
    since = watcher.mark()
    linphone = await Linphone(house, office.hers, secret="not the secret").start(registers=False)
    await linphone.says(r"to \[LinphoneRegistrationFailed\]")
    baresip = await Baresip(house, office.his, secret="not the secret").start(registers=False)
    await baresip.says("40[13] .*Rollcall")
    await watcher.barrier()
    for phone in (office.hers, office.his):
        shows = {show for show, _ in watcher.saw(phone.jid, since)}
        expect(shows <= {"unavailable"}, f"{phone.jid} was seen as {shows}")


async def call_each_other(house):
    """A call is seen of both people and both phones; Alice's own client sees her as she is."""
    office = await Office(house).open()
    own, home = office.desk.mark(), office.home.mark()
    await office.talk()
    since = office.watcher.mark()
    office.linphone.type("terminate")
    await office.baresip.happens("CALL_CLOSED")
    await office.idle(since)
    for client, mark in ((office.desk, own), (office.home, home)):
        await client.barrier()
        seen = client.saw(client.boundjid.bare, mark)
        expect(not seen, f"{client.label} saw itself as {seen}")
    # The other way, and the other one hangs up.
    events, mark = len(office.baresip.events), office.linphone.mark()
    since = office.watcher.mark()
    await office.baresip.command("dial", office.hers.uri)
    await office.linphone.says("contacting you|receiving call|Receiving new incoming call", mark)
    await office.watcher.sees(office.hers.jid, "dnd", "^Ringing", since)
    office.linphone.type("answer")
    await office.baresip.happens("CALL_ESTABLISHED", events)
    await office.see_them_talk(since)
    since = office.watcher.mark()
    await office.baresip.command("hangup")
    await office.idle(since)


async def change_during_a_call(house):
    """What Alice sets during a call counts for herself at once, and for others after it."""
    office = await Office(house).open()
    await office.talk()
    since = office.watcher.mark()
    await office.desk.available(pshow="away", pstatus="lunch")
    await office.desk.barrier()
    await office.watcher.barrier()
    shown = {show for show, _ in office.watcher.saw(office.alice.jid, since)}
    expect(shown <= {"dnd"}, f"during the call she is seen as {shown}")
    await office.baresip.command("hangup")
    await office.watcher.sees(office.alice.jid, "away", "^lunch$", since)
    await office.watcher.sees(office.bob.jid, "away", "^at home$", since)


async def leave_no_trace(house):
    """A call that is given up, or turned down, was never one: nobody was on the phone."""
    office = await Office(house).open()
    before = office.watcher.mark()
    await office.ring()
    since = office.watcher.mark()
    office.linphone.type("terminate")  # CANCEL
    await office.baresip.happens("CALL_CLOSED")
    await office.idle(since)
    await office.ring()
    since, mark = office.watcher.mark(), office.linphone.mark()
    await office.baresip.command("hangup")  # 486
    await office.linphone.says("SIP/2.0 486", mark)
    await office.idle(since)
    for who in (office.alice.jid, office.bob.jid, office.hers.jid, office.his.jid):
        talk = [s for s in office.watcher.saw(who, before) if s[1].startswith(("On the phone", "In call"))]
        expect(not talk, f"{who} was seen as {talk}")


async def hold_a_call(house):
    """Who holds a call is shown so; the other one stays in the call."""
    office = await Office(house).open()
    await office.talk()
    mark, since = office.linphone.mark(), office.watcher.mark()
    office.linphone.type("pause")
    await office.holding(office.alice, office.hers, since)
    await office.linphone.says("to LinphoneCallPaused", mark)
    since = office.watcher.mark()
    office.linphone.type("resume")
    await office.holding_no_more(office.alice, office.hers, since)
    since = office.watcher.mark()
    await office.baresip.command("hold")
    await office.holding(office.bob, office.his, since)
    await office.watcher.sees(office.hers.jid, "dnd", r"^In call(?! \(hold)")
    since = office.watcher.mark()
    await office.baresip.command("resume")
    await office.holding_no_more(office.bob, office.his, since)
    since = office.watcher.mark()
    office.linphone.type("terminate")
    await office.idle(since)


async def transfer_a_call(house):
    """Bob sends Alice on to Carol's phone (REFER): nobody is left in a call that is not."""
    office = Office(house)
    hers = house.device(office.carol, office.staff)
    await office.open()
    third = await Baresip(house, hers).start()
    await office.talk()
    since = office.watcher.mark()
    await office.baresip.command("transfer", hers.uri)
    await third.happens("CALL_INCOMING")
    await third.command("accept")
    await third.happens("CALL_ESTABLISHED")
    await office.watcher.sees(hers.jid, "dnd", "^In call", since)
    await office.watcher.sees(office.hers.jid, "dnd", "^In call", since)
    await office.watcher.sees(office.his.jid, "", "^Ready", since)
    await office.watcher.sees(office.bob.jid, "away", "^at home$", since)
    since = office.watcher.mark()
    await third.command("hangup")
    await office.watcher.sees(office.hers.jid, "", "^Ready", since)
    await office.watcher.sees(hers.jid, "", "^Ready", since)
    await office.watcher.sees(office.alice.jid, "", "^$", since)


async def come_by_tcp(house):
    """The same by TCP; a phone that dies is gone with its connection, and when it is back its call is over."""
    office = Office(house)
    await office.open(tcp=True)
    await office.talk()
    since = office.watcher.mark()
    await office.baresip.kill()
    await office.watcher.sees(office.his.jid, "unavailable", since=since)
    await office.baresip.start()
    await office.idle(since, SOON)


async def watch_people(house):
    """linphonec sees a chat user, who was asked, go busy and leave; baresip sees a colleague."""
    office = Office(house)
    dave = house.account_of("dave")
    friend = await house.client(dave)
    linphone = await Linphone(house, office.hers, [("Dave", dave.jid)]).start()
    await friend.gets("the request of a phone's owner", lambda s: s.name == "presence" and s["type"] == "subscribe" and
                      s["from"].bare == office.alice.jid)
    expect("Online" not in linphone.said, "she sees him before he agrees")
    friend.send_presence_subscription(pto=office.alice.jid, ptype="subscribed")
    await linphone.says('Friend "Dave".* is Online')
    friend.send_presence(pshow="dnd", pstatus="thinking")
    await linphone.says('Friend "Dave".* is Busy')
    friend.send_presence(pshow="away")
    await linphone.says('Friend "Dave".* is Away')
    await friend.close()
    await linphone.says('Friend "Dave".* is Offline')
    colleague = await house.client(office.carol)
    baresip = await Baresip(house, office.his, [("Carol", office.carol.jid)]).start()
    await baresip.says("Subscribing to 1 contacts")
    await baresip.contact_is("Carol", "Online")
    colleague.send_presence(pshow="dnd")
    await baresip.contact_is("Carol", "Busy")
    colleague.send_presence()
    await baresip.contact_is("Carol", "Online")
    house.run("state", "set", office.carol.jid, "meeting", "--for", "20m")
    await baresip.contact_is("Carol", "Busy")


async def watch_somebody_on_the_phone(house):
    """A phone shows that a person it watches is on the phone, and not any more."""
    office = Office(house)
    lamp = house.device(office.carol, office.staff)
    await office.open()
    panel = await Linphone(house, lamp, [("Bob", office.bob.jid)]).start()
    await panel.says('Friend "Bob".* is Away')
    mark = panel.mark()
    await office.talk()
    await panel.says('Friend "Bob".* is On the phone', mark)
    mark = panel.mark()
    office.linphone.type("terminate")
    await panel.says('Friend "Bob".* is Away', mark)


async def write(house):
    """Text goes from phones to people and back."""
    office = await Office(house).open()
    office.linphone.type(f"chat sip:{office.carol.jid} Tea?")
    got = await office.watcher.gets_message("Tea?")
    expect(got["from"].bare == office.hers.jid, f"from {got['from']}")
    mark = office.linphone.mark()
    office.watcher.send_message(mto=got["from"], mbody="Yes, <&> please ☕", mtype="chat")
    await office.linphone.says("Yes, <&> please ☕", mark)
    mark = office.baresip.mark()
    office.watcher.send_message(mto=office.his.jid, mbody="And you?", mtype="chat")
    await office.baresip.says("And you\\?", mark)
    # Nobody who is there is of that name.
    mark = office.linphone.mark()
    office.linphone.type(f"chat sip:nobody-at-all@{house.domain} Hello?")
    await office.linphone.says("SIP/2.0 (404|480|403)", mark)
    # Nor is a phone that is not there.
    since = office.watcher.mark()
    await office.baresip.command("quit")
    await office.watcher.sees(office.his.jid, "unavailable", since=since)
    office.watcher.send_message(mto=office.his.jid, mbody="Still there?", mtype="chat")
    got = await office.watcher.gets("an error", lambda s: isinstance(s, Message) and s["type"] == "error")
    expect(got["error"]["condition"] == "recipient-unavailable", f"the error is {got['error']['condition']}")


async def survive_a_crash_of_the_server(house):
    """kill -9 during a call: it is shown as it is within ten seconds, and ends; phones go on to see people."""
    office = Office(house)
    await office.open(friends=[("Carol", office.carol.jid)])
    await office.linphone.says('Friend "Carol".* is Online')
    await office.talk()
    await house.stored("sip_dialog")
    house.kill()
    house.start()
    office.desk = await house.client(office.alice)
    office.home = await house.client(office.bob, pshow="away", pstatus="at home")
    office.watcher = await house.client(office.carol)
    await asyncio.wait_for(office.see_them_talk(), SOON)
    for phone in (office.hers, office.his):
        wrong = [s for s in office.watcher.saw(phone.jid) if not s[1].startswith("In call")]
        expect(not wrong, f"after the restart {phone.jid} was seen as {wrong}")
    wrong = [s for who in (office.alice, office.bob) for s in office.watcher.saw(who.jid) if s[0] != "dnd"]
    expect(not wrong, f"after the restart people were seen as {wrong}")
    mark = office.linphone.mark()
    office.watcher.send_presence(pshow="dnd")
    await office.linphone.says('Friend "Carol".* is Busy', mark)
    since = office.watcher.mark()
    office.linphone.type("terminate")
    await office.baresip.happens("CALL_CLOSED")
    await office.idle(since)


async def end_the_calls_of_a_phone_that_died(house):
    """A phone that died in a call registers again: its call is over at once, and for the other one, too."""
    office = await Office(house).open()
    for phone in (office.baresip, office.linphone):
        await office.talk()
        since = office.watcher.mark()
        await phone.kill()
        await phone.start()
        await office.watcher.sees(phone.device.jid, "", "^Ready", since)
        await office.idle(since, SOON)
        other = office.linphone if phone is office.baresip else office.baresip
        await hang_up(other)


async def hang_up(phone):
    """Has a phone end a call that the other side knows nothing of."""
    if isinstance(phone, Baresip):
        await phone.command("hangup")
        await phone.happens("CALL_CLOSED")
        return
    mark = phone.mark()
    phone.type("terminate")
    await phone.says("LinphoneCallReleased", mark)


CHECKS = (register_by_digest, refuse_a_wrong_password, call_each_other, change_during_a_call, leave_no_trace, hold_a_call,
          transfer_a_call, come_by_tcp, watch_people, watch_somebody_on_the_phone, write, survive_a_crash_of_the_server, end_the_calls_of_a_phone_that_died)

if __name__ == "__main__":
    run(report, CHECKS)
