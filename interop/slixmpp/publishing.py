"""Checks of what people publish: moods, what clients keep for themselves, activities of states."""

from xml.etree import ElementTree

from slixmpp.exceptions import IqError
from slixmpp.plugins.xep_0004.stanza import Form
from slixmpp.stanza import Message

from check import DOMAIN, Account, Failed, expect
from client import PLUGINS, Client, befriend

EVENT = "{http://jabber.org/protocol/pubsub#event}"
ACTIVITY = "http://jabber.org/protocol/activity"
MOOD = "http://jabber.org/protocol/mood"
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
BOOKMARKS = "urn:xmpp:bookmarks:1"
PEP = PLUGINS + ("xep_0004", "xep_0060", "xep_0163", "xep_0107", "xep_0108")


class Publisher(Client):
    """A client that wants to hear what contacts publish."""

    def __init__(self, account, resource):
        super().__init__(account, resource, plugins=PEP)
        for node in (ACTIVITY, MOOD, DEVICES, BOOKMARKS):
            self["xep_0163"].add_interest(node)

    async def hears(self, what, owner, node, find, since=0):
        """Waits for news of a node with an element in it, and returns that."""
        def match(stanza):
            return isinstance(stanza, Message) and stanza["from"] == owner and element(stanza) is not None

        def element(stanza):
            items = stanza.xml.find(f"{EVENT}event/{EVENT}items")
            return items.find(f".//{find}") if items is not None and items.get("node") == node else None
        return element(await self.gets(what, match, since))

    async def publish(self, node, payload, id="current", **options):
        """Publishes an element under an id, with preconditions."""
        form = Form()
        form["type"] = "submit"
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
        for name, value in options.items():
            form.add_field(var=f"pubsub#{name}", value=value)
        await self["xep_0060"].publish(self.boundjid.bare, node, id=id, payload=ElementTree.fromstring(payload),
                                       options=form if options else None, timeout=15)


async def tell_contacts_a_mood():
    """XEP-0163 and XEP-0107: contacts hear of a mood, now and when they come."""
    one = await Publisher(Account("ada"), "desk").login()
    other = await Publisher(Account("bob"), "home").login()
    await befriend(one, other)
    await one["xep_0107"].publish_mood("happy", "there is <tea>")
    for client in (one, other):
        got = await client.hears("a mood", one.boundjid.bare, MOOD, f"{{{MOOD}}}happy")
        expect(got is not None, "there is no mood")
    later = await Publisher(other.account, "car").login()
    await later.hears("the mood that there was", one.boundjid.bare, MOOD, f"{{{MOOD}}}happy")
    await one["xep_0107"].stop(timeout=15)
    await later.hears("that there is no mood any more", one.boundjid.bare, MOOD, f"{{{MOOD}}}mood[.='']")
    for client in (one, other, later):
        await client.close()


async def keep_bookmarks_on_every_device():
    """XEP-0402: rooms are known to all clients of an account, one item each, and to nobody else."""
    one = await Publisher(Account("ada"), "desk").login()
    phone = await Publisher(one.account, "phone").login()
    other = await Publisher(Account("bob"), "home").login()
    await befriend(one, other)
    options = {"persist_items": "true", "max_items": "max", "send_last_published_item": "never", "access_model": "whitelist"}
    for room in ("tea", "coffee"):
        await one.publish(BOOKMARKS, f"<conference xmlns='{BOOKMARKS}' name='{room}'/>", id=f"{room}@rooms.{DOMAIN}", **options)
        await phone.hears("a bookmark", one.boundjid.bare, BOOKMARKS, f"{{{BOOKMARKS}}}conference[@name='{room}']")
    got = await phone["xep_0060"].get_items(one.boundjid.bare, BOOKMARKS, timeout=15)
    ids = [item["id"] for item in got["pubsub"]["items"]["substanzas"]]
    expect(ids == [f"tea@rooms.{DOMAIN}", f"coffee@rooms.{DOMAIN}"], f"the bookmarks are {ids}")
    await one["xep_0060"].retract(one.boundjid.bare, BOOKMARKS, ids[0], notify="true", timeout=15)
    await phone.hears("a bookmark that goes", one.boundjid.bare, BOOKMARKS, f"{EVENT}retract[@id='{ids[0]}']")
    try:
        await other["xep_0060"].get_items(one.boundjid.bare, BOOKMARKS, timeout=15)
        raise Failed("somebody else reads the bookmarks")
    except IqError as err:
        expect(err.condition == "not-allowed", f"reading them is {err.condition}")
    try:
        await one.publish(BOOKMARKS, f"<conference xmlns='{BOOKMARKS}'/>", id="x", access_model="open")
        raise Failed("a precondition that is not met was passed over")
    except IqError as err:
        expect(err.condition == "conflict", f"a precondition that is not met is {err.condition}")
    for client in (one, phone, other):
        await client.close()


async def show_keys_to_everybody():
    """XEP-0384: a device list with open access is read by somebody who is no contact."""
    one = await Publisher(Account("ada"), "desk").login()
    other = await Publisher(Account("bob"), "home").login()
    await one.publish(DEVICES, "<list xmlns='eu.siacs.conversations.axolotl'><device id='4711'/></list>", access_model="open")
    got = await other["xep_0060"].get_items(one.boundjid.bare, DEVICES, timeout=15)
    expect(got.xml.find(".//{eu.siacs.conversations.axolotl}device[@id='4711']") is not None, "there is no device")
    await other["xep_0060"].subscribe(one.boundjid.bare, DEVICES, bare=True, timeout=15)
    await one.publish(DEVICES, "<list xmlns='eu.siacs.conversations.axolotl'><device id='4712'/></list>")
    await other.hears("another device", one.boundjid.bare, DEVICES, "{eu.siacs.conversations.axolotl}device[@id='4712']")
    await one.close()
    await other.close()


async def see_what_somebody_does():
    """XEP-0108: contacts see the activity of a state; the person's own comes back by itself, and was never changed."""
    one = await Publisher(Account("ada"), "desk").login()
    other = await Publisher(Account("bob"), "home").login()
    await befriend(one, other)
    await one["xep_0108"].publish_activity("relaxing", "reading", "a book")
    await other.hears("an activity", one.boundjid.bare, ACTIVITY, f"{{{ACTIVITY}}}reading")
    since, mine = len(other.seen), len(one.seen)
    one.send_message(mto=DOMAIN, mbody="status meeting 20m", mtype="chat")
    await other.hears("the activity of a state", one.boundjid.bare, ACTIVITY, f"{{{ACTIVITY}}}in_a_meeting", since)
    got = await other["xep_0060"].get_items(one.boundjid.bare, ACTIVITY, timeout=15)
    expect(got.xml.find(f".//{{{ACTIVITY}}}in_a_meeting") is not None, "whoever asks finds something else")
    got = await one["xep_0060"].get_items(one.boundjid.bare, ACTIVITY, timeout=15)
    expect(got.xml.find(f".//{{{ACTIVITY}}}reading") is not None, "the person's own activity is another")
    since = len(other.seen)
    one.send_message(mto=DOMAIN, mbody="status off", mtype="chat")
    await other.hears("the person's own activity again", one.boundjid.bare, ACTIVITY, f"{{{ACTIVITY}}}reading", since)
    await one.barrier()
    told = [s for s in one.seen[mine:] if isinstance(s, Message) and s.xml.find(f"{EVENT}event") is not None]
    expect(not told, "the person was told of an activity that is none of theirs")
    await one.close()
    await other.close()
