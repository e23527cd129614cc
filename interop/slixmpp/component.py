"""A component (XEP-0114) of slixmpp's, and what people have to do with it."""

import asyncio

import slixmpp
from slixmpp.exceptions import IqError
from slixmpp.stanza import Message, Presence

from check import COMPONENT, COMPONENT_PORT, COMPONENT_SECRET, DOMAIN, HOST, TIMEOUT, Account, Failed, expect, group
from client import Client


class Doors(slixmpp.ComponentXMPP):
    """Serves a domain with a door, which answers messages and whoever asks for its state."""

    def __init__(self, secret=COMPONENT_SECRET):
        super().__init__(COMPONENT, secret, HOST, COMPONENT_PORT)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self["xep_0030"].add_identity(category="client", itype="phone", name="A door", jid=f"door@{COMPONENT}")
        self.up = asyncio.get_running_loop().create_future()
        self.probed = []
        self.add_event_handler("session_start", lambda _: self._settle(None))
        self.add_event_handler("stream_error", lambda err: self._settle(err["condition"]))
        self.add_event_handler("disconnected", lambda why: self._settle(f"disconnected: {why}"))
        self.add_event_handler("message", lambda msg: msg["type"] == "chat" and msg.reply(f"{msg['body']}!").send())
        self.add_event_handler("presence_probe", self._probe)

    def _settle(self, result):
        if not self.up.done():
            self.up.set_result(result)

    def _probe(self, presence):
        self.probed.append(presence["from"].bare)
        self.send_presence(pto=presence["from"], pfrom=f"{presence['to'].bare}/sip", pstatus="closed")

    async def start(self):
        """Connects; returns what went wrong, or None."""
        self.connect()
        return await asyncio.wait_for(self.up, TIMEOUT)


def _presence(who, kind):
    return lambda s: isinstance(s, Presence) and s["from"] == who and s["type"] == kind


async def be_served_by_a_component():
    """A component's contacts are seen in a shared group, answer, and are gone when it is."""
    door = f"door@{COMPONENT}"
    wrong = await Doors(secret="not the secret at all").start()
    expect(wrong == "not-authorized", f"a wrong secret: {wrong}")
    doors = Doors()
    expect(await doors.start() is None, "the component is not let in")
    one = await Client(Account("ada"), "desk").login()
    name = f"doors-{one.account.name}"
    group("add", name, "--title", "Doors")
    group("member", "add", name, door, one.boundjid.bare)
    await one.gets("the door", _presence(f"{door}/sip", "available"))
    expect(one.boundjid.bare in doors.probed, f"probed by {doors.probed}")
    one.send_message(mto=door, mbody="open", mtype="chat")
    await one.gets("an answer", lambda s: isinstance(s, Message) and s["body"] == "open!" and s["from"].bare == door)
    info = await one["xep_0030"].get_info(jid=door, timeout=TIMEOUT)
    expect(("client", "phone", None, "A door") in info["disco_info"]["identities"], "what it is, is not told")
    items = await one["xep_0030"].get_items(jid=DOMAIN, timeout=TIMEOUT)
    expect(any(jid == COMPONENT for jid, _, _ in items["disco_items"]["items"]), "it is not listed")
    await doors.disconnect(wait=2.0)
    await one.gets("the end of the door", _presence(f"{door}/sip", "unavailable"))
    try:
        await one["xep_0199"].send_ping(COMPONENT, timeout=TIMEOUT)
        raise Failed("a component that has gone answers")
    except IqError as err:
        expect(err.condition == "remote-server-timeout", f"the error is {err.condition}")
    since = len(one.seen)
    again = Doors()
    expect(await again.start() is None, "the component is not let in again")
    await one.gets("the door again", _presence(f"{door}/sip", "available"), since)
    group("remove", name)
    await one.close()
    await again.disconnect(wait=2.0)
