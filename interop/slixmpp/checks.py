"""Checks with slixmpp: login, rosters, presence, chat, offline, carbons, archive, resumption."""

import asyncio
import logging
import sys

logging.disable()  # slixmpp logs what a check expects, and its lack of libidn

from slixmpp.exceptions import IqError, XMPPError
from slixmpp.stanza import Iq, Message, Presence

from check import (ADMIN, COMPONENT, DOMAIN, GROUP, STRICT, TLS_PORT, Account, Administrator, Failed, Report, expect, group)
from client import PLUGINS, Client, befriend
from component import be_served_by_a_component
from publishing import keep_bookmarks_on_every_device, see_what_somebody_does, show_keys_to_everybody, tell_contacts_a_mood

report = Report("slixmpp")


async def log_in_as_it_comes():
    """slixmpp's own choice of mechanism, over STARTTLS with the certificate verified."""
    one = await Client(Account("ada"), "desk").login()
    report.note(f"chose {one['feature_mechanisms'].mech.name}")
    expect(one.boundjid.resource == "desk", f"bound {one.boundjid}")
    await one.close()


async def log_in_by_scram():
    """SCRAM without channel binding; slixmpp checks the server's signature."""
    account = Account("ada")
    for mech in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        one = Client(account, "desk", mech=mech)
        one.open()
        name, _ = await one.happens("session_start", "failed_auth", "failed_all_auth")
        if name == "failed_all_auth" and mech not in one["feature_mechanisms"].mech_list:
            expect(not STRICT, f"{mech} is not offered")
            report.note(f"{mech} is not offered")
            continue
        expect(name == "session_start", f"{mech}: {name}")
        await one.close()


async def log_in_by_direct_tls():
    """XEP-0368: TLS from the first byte."""
    one = await Client(Account("ada"), "desk").login(direct_tls=True)
    await one.barrier()
    await one.close()


async def refuse_a_wrong_password():
    """A wrong password is refused with not-authorized."""
    account = Account("ada")
    account.password += "x"
    one = Client(account, "desk", mech="SCRAM-SHA-1")
    one.open()
    _, failure = await one.happens("failed_auth")
    expect(failure["condition"] == "not-authorized", f"condition {failure['condition']}")
    expect(not one.authenticated, "is logged in with a wrong password")
    await one.close()


async def subscribe_and_see_presence():
    """Mutual subscription, roster pushes, presence with show and status, unavailable."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    await befriend(one, other)
    for client, contact in ((one, other), (other, one)):
        await client.gets("a roster push with both", lambda s: isinstance(s, Iq) and s["type"] == "set" and
                            s["roster"]["items"].get(contact.boundjid.bare, {}).get("subscription") == "both")
        await client.get_roster()
        item = client.client_roster[contact.boundjid.bare]
        expect(item["subscription"] == "both", f"{client.label} has {item['subscription']}")
    one.send_presence(pshow="away", pstatus="at lunch <&> tea ☕", ppriority=3)
    got = await other.gets("the away presence", lambda s: isinstance(s, Presence) and s["from"] == one.boundjid and
                             s["show"] == "away")
    expect(got["status"] == "at lunch <&> tea ☕", f"status {got['status']!r}")
    expect(got["priority"] == 3, f"priority {got['priority']}")
    one.send_presence(ptype="unavailable", pstatus="gone home")
    got = await other.gets("unavailable", lambda s: isinstance(s, Presence) and s["from"] == one.boundjid and
                             s["type"] == "unavailable")
    expect(got["status"] == "gone home", f"status {got['status']!r}")
    await one.close()
    await other.close()


async def rename_and_remove_a_contact():
    """Names and groups are kept; a removed contact no longer sees the one who removed them."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    await befriend(one, other)
    await one.update_roster(other.boundjid.bare, name="Bob <B>", groups=["Work", "Ringers & Co"])
    await one.get_roster()
    item = one.client_roster[other.boundjid.bare]
    expect(item["name"] == "Bob <B>" and sorted(item["groups"]) == ["Ringers & Co", "Work"], f"item {item['name']!r} {item['groups']}")
    await one.del_roster_item(other.boundjid.bare)
    await other.gets("unavailable", lambda s: isinstance(s, Presence) and s["from"].bare == one.boundjid.bare and
                       s["type"] == "unavailable")
    await other.gets("unsubscribed", lambda s: isinstance(s, Presence) and s["type"] == "unsubscribed")
    await one.close()
    await other.close()


async def chat():
    """Messages both ways, to bare and full addresses, in order and unchanged."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    bodies = ["tea?", "2 < 3 && 'x' > \"y\"", "Übung 茶 👋🏽", " spaces \n and lines "] + [f"no. {n}" for n in range(50)]
    for n, body in enumerate(bodies):
        to = other.boundjid.full if n % 2 else other.boundjid.bare
        one.send_message(mto=to, mbody=body, mtype="chat")
    await other.gets_message(bodies[-1])
    expect(other.bodies() == bodies, f"bodies arrived as {other.bodies()[:6]}…")
    expect(all(s["from"] == one.boundjid for s in other.seen if isinstance(s, Message)), "wrong from")
    other.send_message(mto=one.boundjid.full, mbody="yes", mtype="chat")
    await one.gets_message("yes")
    await one.close()
    await other.close()


async def be_told_of_nobody():
    """A message to an account that does not exist comes back as service-unavailable."""
    one = await Client(Account("ada"), "desk").login()
    one.send_message(mto=f"nobody-at-all@{DOMAIN}", mbody="hello?", mtype="chat")
    got = await one.gets("an error", lambda s: isinstance(s, Message) and s["type"] == "error")
    expect(got["error"]["condition"] == "service-unavailable", f"condition {got['error']['condition']}")
    await one.close()


async def keep_messages_for_later():
    """Offline messages come at the next login, in order, stamped, and only once."""
    one = await Client(Account("ada"), "desk").login()
    away = Account("bob")
    for n in range(3):
        one.send_message(mto=away.jid, mbody=f"for later {n}", mtype="chat")
    await one.barrier()
    other = await Client(away, "home").login()
    got = await other.gets_message("for later 2")
    expect(other.bodies() == [f"for later {n}" for n in range(3)], f"bodies {other.bodies()}")
    expect(got.xml.find("{urn:xmpp:delay}delay") is not None, "no delay stamp")
    expect(got["from"] == one.boundjid, f"from {got['from']}")
    await other.barrier()
    await other.close()
    again = await Client(away, "home").login()
    one.send_message(mto=again.boundjid.full, mbody="now", mtype="chat")
    await again.gets_message("now")
    expect(again.bodies() == ["now"], f"delivered again: {again.bodies()}")
    await one.close()
    await again.close()


def carbon(client, kind, body):
    """Waits for a carbon copy of this kind with this body inside."""
    path = f"{{urn:xmpp:carbons:2}}{kind}/{{urn:xmpp:forward:0}}forwarded/{{jabber:client}}message/{{jabber:client}}body"
    return client.gets(f"a carbon ({kind}) of {body!r}", lambda s: isinstance(s, Message) and
                         s["from"] == client.boundjid.bare and s.xml.findtext(path) == body)


async def copy_to_my_other_clients():
    """Carbons: what my other client receives and sends is copied to me, and not to itself."""
    account = Account("bob")
    desk, phone = await Client(account, "desk").login(), await Client(account, "phone").login()
    one = await Client(Account("ada"), "desk").login()
    for client in (desk, phone):
        await client["xep_0280"].enable()
    one.send_message(mto=desk.boundjid.full, mbody="to the desk", mtype="chat")
    await desk.gets_message("to the desk")
    await carbon(phone, "received", "to the desk")
    desk.send_message(mto=one.boundjid.full, mbody="from the desk", mtype="chat")
    await one.gets_message("from the desk")
    await carbon(phone, "sent", "from the desk")
    private = one.make_message(mto=desk.boundjid.full, mbody="for the desk only", mtype="chat")
    private.append(_element("private", "urn:xmpp:carbons:2"))
    private.append(_element("no-copy", "urn:xmpp:hints"))
    private.send()
    await desk.gets_message("for the desk only")
    await one.barrier()
    one.send_message(mto=phone.boundjid.full, mbody="end", mtype="chat")
    await phone.gets_message("end")
    texts = [t for s in phone.seen for t in s.xml.itertext()]
    expect("for the desk only" not in texts, "a private message was copied")
    copies = [s for s in desk.seen if s.xml.find("{urn:xmpp:carbons:2}sent") is not None]
    expect(not copies, "the sending client got a copy of its own message")
    for client in (one, desk, phone):
        await client.close()


def _element(name, namespace):
    from slixmpp.xmlstream import ET
    return ET.Element(f"{{{namespace}}}{name}")


async def _pages(client, size, **query):
    """All pages of an archive query, as lists of (archive id, body)."""
    pages = []
    async for page in client["xep_0313"].retrieve(iterator=True, rsm={"max": size}, **query):
        pages.append([(m["mam_result"]["id"], m["mam_result"]["forwarded"]["stanza"]["body"])
                      for m in page["mam"]["results"]])
    return pages


async def page_through_the_archive():
    """The archive of both sides, forwards and backwards in pages, with a filter, with stable ids."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    third = await Client(Account("eve"), "home").login()
    bodies = [f"line {n}" for n in range(10)]
    for body in bodies:
        one.send_message(mto=other.boundjid.bare, mbody=body, mtype="chat")
    await other.gets_message(bodies[-1])
    third.send_message(mto=other.boundjid.bare, mbody="from a third", mtype="chat")
    await other.gets_message("from a third")
    await asyncio.gather(one.barrier(), other.barrier())
    for client, size, query, want in (
            (other, 4, {}, [4, 4, 3]),
            (one, 3, {}, [3, 3, 3, 1]),
            (other, 4, {"with_jid": one.boundjid.bare}, [4, 4, 2])):
        pages = await _pages(client, size, **query)
        got = [body for page in pages for _, body in page]
        expect(got == (bodies + ["from a third"])[:sum(want)], f"{client.label} {query}: {got}")
        expect([len(page) for page in pages if page] == want, f"pages of {[len(p) for p in pages]}")
    back = await _pages(other, 4, reverse=True, with_jid=one.boundjid.bare)
    expect([body for _, body in back[0]] == bodies[-4:], f"last page {back[0]}")
    ids = {body: i for page in await _pages(other, 20) for i, body in page}
    for body in (bodies[0], bodies[-1]):
        got = (await other.gets_message(body)).xml.find("{urn:xmpp:sid:0}stanza-id")
        expect(got is not None and got.get("by") == other.boundjid.bare, "no stanza-id by the receiver's server")
        expect(got.get("id") == ids[body], f"stanza-id {got.get('id')} but archived as {ids[body]}")
    for client in (one, other, third):
        await client.close()


async def resume_a_broken_stream():
    """XEP-0198: after a lost connection the session goes on; nothing is lost, doubled or shown."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    await befriend(one, other)
    await other.happens("sm_enabled")
    await one.gets("bob's presence", lambda s: isinstance(s, Presence) and s["from"] == other.boundjid)
    one.send_message(mto=other.boundjid.full, mbody="before", mtype="chat")
    await other.gets_message("before")
    await other.barrier()
    mark, address = len(one.seen), other.boundjid.full
    other.abort()
    await other.happens("disconnected")
    for n in range(3):
        one.send_message(mto=address, mbody=f"while away {n}", mtype="chat")
    await one.barrier()
    other.open()
    await other.happens("session_resumed")
    await other.gets_message("while away 2")
    one.send_message(mto=address, mbody="after", mtype="chat")
    await other.gets_message("after")
    want = ["before"] + [f"while away {n}" for n in range(3)] + ["after"]
    expect(other.bodies() == want, f"bodies {other.bodies()}")
    other.send_message(mto=one.boundjid.full, mbody="back again", mtype="chat")
    await one.gets_message("back again")
    other["xep_0198"].request_ack()
    _, acked = await other.happens("stanza_acked")
    expect(acked is not None, "nothing acknowledged")
    hidden = [s for s in one.seen[mark:] if isinstance(s, Presence) and s["type"] == "unavailable"]
    expect(not hidden, "was shown as unavailable in between")
    await one.close()
    await other.close()


async def hold_presence_while_inactive():
    """XEP-0352: an inactive client still gets messages at once, and presence before them."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "phone").login()
    await befriend(one, other)
    other["xep_0352"].send_inactive()
    await other.barrier()
    one.send_presence(pshow="away", pstatus="first")
    one.send_presence(pshow="dnd", pstatus="latest")
    one.send_message(mto=other.boundjid.bare, mbody="wake up", mtype="chat")
    await other.gets_message("wake up")
    other["xep_0352"].send_active()
    await other.gets("the latest presence", lambda s: isinstance(s, Presence) and s["status"] == "latest")
    await one.close()
    await other.close()


async def ask_the_server_things():
    """Discovery, ping, version, time and vCard."""
    one = await Client(Account("ada"), "desk").login()
    info = await one["xep_0030"].get_info(jid=DOMAIN, timeout=15)
    kinds = [(i[0], i[1]) for i in info["disco_info"]["identities"]]
    expect(("server", "im") in kinds, f"identities {kinds}")
    mine = await one["xep_0030"].get_info(jid=one.boundjid.bare, timeout=15)
    expect("urn:xmpp:mam:2" in mine["disco_info"]["features"], "the account does not offer an archive")
    for feature in ("urn:xmpp:ping", "urn:xmpp:carbons:2"):
        expect(feature in info["disco_info"]["features"], f"{feature} is not offered")
    await one["xep_0030"].get_items(jid=DOMAIN, timeout=15)
    await one.barrier()
    version = await one["xep_0092"].get_version(DOMAIN, timeout=15)
    expect(version["software_version"]["name"], "no name")
    report.note(f"server is {version['software_version']['name']} {version['software_version']['version']}")
    time = await one["xep_0202"].get_entity_time(DOMAIN, timeout=15)
    # Read as text: this version of slixmpp puts a second Z behind the one of XEP-0202 §3.
    utc = time.xml.findtext("{urn:xmpp:time}time/{urn:xmpp:time}utc")
    expect(utc and utc.endswith("Z"), f"utc {utc!r}")
    card = one["xep_0054"].make_vcard()
    card["FN"] = "Ada Lovelace"
    await one["xep_0054"].publish_vcard(card)
    got = await one["xep_0054"].get_vcard(one.boundjid.bare, cached=False, timeout=15)
    expect(got["vcard_temp"]["FN"] == "Ada Lovelace", f"FN {got['vcard_temp']['FN']!r}")
    try:
        await one.make_iq_get(queryxmlns="urn:example:unknown", ito=DOMAIN).send(timeout=15)
        raise Failed("an unknown request was answered with a result")
    except IqError as err:
        expect(err.condition == "service-unavailable", f"unknown request: {err.condition}")
    await one.close()


async def _blocked(client):
    """The addresses in the client's blocklist."""
    got = await client["xep_0191"].get_blocked(timeout=15)
    return sorted(str(jid) for jid in got["blocklist"]["items"])


def _unavailable(client, contact, since):
    return client.gets(f"{contact.label} go", lambda s: isinstance(s, Presence) and s["from"] == contact.boundjid and
                       s["type"] == "unavailable", since)


async def _refused(client, to, condition):
    """A message comes back with this condition; returns the error."""
    since = len(client.seen)
    client.send_message(mto=to, mbody="are you there?", mtype="chat")
    got = await client.gets("an error", lambda s: isinstance(s, Message) and s["type"] == "error", since)
    expect(got["error"]["condition"] == condition, f"condition {got['error']['condition']}")
    return got


async def block_and_unblock():
    """XEP-0191: a blocked contact sees nobody, reaches nobody, and is back after that."""
    account = Account("ada")
    one, phone = await Client(account, "desk").login(), await Client(account, "phone").login()
    other = await Client(Account("bob"), "home").login()
    await befriend(one, other)
    bob = other.boundjid.bare
    for client in (one, phone):
        expect(await _blocked(client) == [], "somebody is blocked already")
    since, pushed = (len(one.seen), len(other.seen)), len(phone.seen)
    await one["xep_0191"].block(bob, timeout=15)
    await phone.gets("the push", lambda s: isinstance(s, Iq) and s["type"] == "set" and
                       s.xml.find("{urn:xmpp:blocking}block/{urn:xmpp:blocking}item") is not None, pushed)
    await _unavailable(one, other, since[0])
    await _unavailable(other, one, since[1])
    expect(await _blocked(phone) == [bob], f"blocked: {await _blocked(phone)}")
    await _refused(other, one.boundjid.bare, "service-unavailable")
    error = await _refused(one, bob, "not-acceptable")
    expect(error.xml.find(".//{urn:xmpp:blocking:errors}blocked") is not None, "the error does not say blocked")
    since = len(other.seen)
    await phone["xep_0191"].unblock(bob, timeout=15)
    await other.gets("ada again", lambda s: isinstance(s, Presence) and s["from"] == one.boundjid and
                       s["type"] == "available", since)
    other.send_message(mto=one.boundjid.full, mbody="friends?", mtype="chat")
    await one.gets_message("friends?")
    expect("are you there?" not in one.bodies(), "a blocked message arrived")
    for client in (one, phone, other):
        await client.close()


async def _privacy(client, child=None, kind="set"):
    """Sends a privacy list request (XEP-0016) with one child, or none; returns the result's query."""
    from slixmpp.xmlstream import ET
    iq = client.make_iq(itype=kind)
    query = ET.SubElement(iq.xml, "{jabber:iq:privacy}query")
    if child:
        query.append(ET.fromstring(child.replace(" ", " xmlns='jabber:iq:privacy' ", 1)))
    return (await iq.send(timeout=15)).xml.find("{jabber:iq:privacy}query")


async def be_invisible_by_a_privacy_list():
    """XEP-0016: a list that hides presence while messages still come; the blocklist is part of the default list."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    await befriend(one, other)
    await _privacy(one, "<list name='invisible'><item action='deny' order='1'><presence-out/></item></list>")
    await one.gets("the push", lambda s: isinstance(s, Iq) and s["type"] == "set" and
                     s.xml.find("{jabber:iq:privacy}query/{jabber:iq:privacy}list[@name='invisible']") is not None)
    since = len(other.seen)
    await _privacy(one, "<active name='invisible'/>")
    await _unavailable(other, one, since)
    other.send_message(mto=one.boundjid.bare, mbody="I know you are there", mtype="chat")
    await one.gets_message("I know you are there")
    since = len(other.seen)
    await one.available(pshow="away")
    await other.barrier()
    expect(not [s for s in other.seen[since:] if isinstance(s, Presence)], "an invisible client was seen")
    names = await _privacy(one, kind="get")
    expect([(e.tag.split("}")[1], e.get("name")) for e in names] == [("active", "invisible"), ("list", "invisible")], "names of lists")
    await _privacy(one, f"<list name='pests'><item type='jid' value='{other.boundjid.bare}' action='deny' order='1'/></list>")
    await _privacy(one, "<default name='pests'/>")
    await _privacy(one, "<active />")
    expect(await _blocked(one) == [other.boundjid.bare], "the blocklist is not that of the default list")
    await _refused(other, one.boundjid.bare, "service-unavailable")
    try:
        await _privacy(one, "<default name='no such list'/>")
        raise Failed("a list that there is not became the default one")
    except IqError as err:
        expect(err.condition == "item-not-found", f"condition {err.condition}")
    await one["xep_0191"].unblock(other.boundjid.bare, timeout=15)
    expect(await _blocked(one) == [], "still blocked")
    await one.close()
    await other.close()


async def give_command(client, to, node, **values):
    """Starts a command, fills in its form, and returns the last answer."""
    commands = client["xep_0050"]
    answer = await commands.send_command(to, node, timeout=15)
    if answer["command"]["status"] == "completed" or not values:
        return answer
    form = client["xep_0004"].make_form(ftype="submit")
    form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/admin")
    for var, value in values.items():
        form.add_field(var=var.replace("__", "-"), value=value)
    return await commands.send_command(to, node, action="complete", payload=form,
                                       sessionid=answer["command"]["sessionid"], timeout=15)


async def run_the_server_by_commands():
    """XEP-0050 and XEP-0133: an administrator sees commands and gives them, others do not."""
    node = "http://jabber.org/protocol/admin#"
    admin = await Client(Administrator(), "desk").login()
    guest = await Client(Account("bob"), "home").login()
    for to in (DOMAIN, admin.boundjid.bare):
        items = await admin["xep_0050"].get_commands(to, timeout=15)
        nodes = [i[1] for i in items["disco_items"]["items"]]
        expect(node + "add-user" in nodes, f"{to} has the commands {nodes}")
    items = await guest["xep_0050"].get_commands(DOMAIN, timeout=15)
    nodes = [i[1] for i in items["disco_items"]["items"]]  # those about oneself are for everybody
    expect(not [n for n in nodes if n.startswith((node, "urn:rollcall:admin#"))], f"everybody is shown {nodes}")
    try:
        await guest["xep_0050"].send_command(DOMAIN, node + "add-user", timeout=15)
        raise Failed("everybody may give commands")
    except IqError as err:
        expect(err.condition == "forbidden", f"condition {err.condition}")
    answer = await give_command(admin, DOMAIN, node + "announce", announcement="Tea")
    expect(answer["command"]["status"] == "completed", f"status {answer['command']['status']}")
    told = await guest.gets_message("Tea")
    expect(told["from"] == DOMAIN and told["type"] == "headline", f"{told['type']} from {told['from']}")
    who = guest.boundjid.bare
    answer = await give_command(admin, admin.boundjid.bare, node + "user-stats", accountjid=who)
    expect(answer["command"]["form"].get_values()["onlineresources"] == "home", str(answer["command"]["form"]))
    await give_command(admin, DOMAIN, node + "disable-user", accountjids=[who])
    await guest.happens("disconnected")
    again = Client(guest.account, "home", mech="SCRAM-SHA-1")
    again.open()
    _, failure = await again.happens("failed_auth")
    expect(failure["condition"] == "account-disabled", f"condition {failure['condition']}")
    await again.close()
    await give_command(admin, DOMAIN, node + "reenable-user", accountjids=[who])
    back = await Client(guest.account, "home").login()
    await back.close()
    await admin.close()


async def keep_settings_on_every_device():
    """XEP-0049: what one client of an account stores the others find; it is nobody else's."""
    from slixmpp.plugins.xep_0048 import Bookmarks
    plugins = PLUGINS + ("xep_0049",)
    account = Account("ada")
    desk = await Client(account, "desk", plugins=plugins).login()
    phone = await Client(account, "phone", plugins=plugins).login()
    other = await Client(Account("bob"), "home", plugins=plugins).login()
    for client in (desk, phone, other):
        client["xep_0049"].register(Bookmarks)
    kept = Bookmarks()
    kept.add_conference(f"tea@rooms.{DOMAIN}", "ada", name="Tea <&> cake", autojoin=True)
    await desk["xep_0049"].store(kept, timeout=15)
    got = await phone["xep_0049"].retrieve("bookmarks", timeout=15)
    rooms = [(str(c["jid"]), c["name"], c["autojoin"]) for c in got["private"]["bookmarks"]["conferences"]]
    expect(rooms == [(f"tea@rooms.{DOMAIN}", "Tea <&> cake", True)], f"bookmarks {rooms}")
    got = await other["xep_0049"].retrieve("bookmarks", timeout=15)
    expect(not list(got["private"]["bookmarks"]["conferences"]), "somebody else has them")
    iq = other.make_iq_get(ito=desk.boundjid.bare)
    iq["private"].enable("bookmarks")
    try:
        await iq.send(timeout=15)
        raise Failed("somebody else could read them")
    except IqError as err:
        expect(err.condition == "forbidden", f"refused with {err.condition}")
    for client in (desk, phone, other):
        await client.close()


async def see_when_somebody_was_last_there():
    """XEP-0012: of a contact, with what was said; of the server; and nothing of a stranger."""
    plugins = PLUGINS + ("xep_0012",)
    one = await Client(Account("ada"), "desk", plugins=plugins).login()
    other = await Client(Account("bob"), "home").login()
    stranger = await Client(Account("eve"), "home", plugins=plugins).login()
    await befriend(one, other)
    got = await one["xep_0012"].get_last_activity(other.boundjid.bare, timeout=15)
    expect(got["last_activity"]["seconds"] == 0, f"{got['last_activity']['seconds']} s while there")
    other.send_presence(ptype="unavailable", pstatus="Heading Home")
    await one.gets("unavailable", lambda s: isinstance(s, Presence) and s["type"] == "unavailable" and s["from"] == other.boundjid)
    address = other.boundjid.bare
    await other.close()
    for _ in range(50):  # the server sees the end of the stream a moment later
        got = (await one["xep_0012"].get_last_activity(address, timeout=15))["last_activity"]
        if got["status"]:
            break
        await asyncio.sleep(0.1)
    expect(got["status"] == "Heading Home", f"status {got['status']!r}")
    expect(0 <= got["seconds"] < 60, f"{got['seconds']} s")
    up = await one["xep_0012"].get_last_activity(DOMAIN, timeout=15)
    expect(up["last_activity"]["seconds"] >= 0, "no uptime")
    for who in (address, f"nobody-at-all@{DOMAIN}"):
        try:
            await stranger["xep_0012"].get_last_activity(who, timeout=15)
            raise Failed(f"a stranger learns of {who}")
        except IqError as err:
            expect(err.condition == "forbidden", f"{who}: {err.condition}")
    await one.close()
    await stranger.close()


async def look_for_people():
    """XEP-0055: the form, a search by the beginnings of words, the table of results."""
    plugins = PLUGINS + ("xep_0055",)
    one = await Client(Account("ada"), "desk", plugins=plugins).login()
    other = await Client(Account("bob"), "home").login()
    family = "Zöllner" + other.boundjid.user.split("-")[-1]
    card = other["xep_0054"].make_vcard()
    card["FN"] = f"Bob {family}"
    card["N"]["GIVEN"], card["N"]["FAMILY"] = "Bob", family
    await other["xep_0054"].publish_vcard(card)
    ask = one.make_iq_get(ito=DOMAIN)
    ask.enable("search")
    form = (await ask.send(timeout=15))["search"]["form"]
    fields = list(form.get_fields())
    expect({"first", "last", "nick", "email"} <= set(fields), f"fields {fields}")
    for filled, found in (({"last": family.upper().replace("Ö", "o")[:-2]}, True), ({"last": family, "first": "Eve"}, False), ({"last": "*"}, False)):
        iq = one["xep_0055"].make_search_iq(ito=DOMAIN)
        for var, value in filled.items():
            iq["search"]["form"].add_field(var, value=value)
        got = (await iq.send(timeout=15)).xml
        x = got.find("{jabber:iq:search}query/{jabber:x:data}x")
        items = [] if x is None else [
            {f.get("var"): f.findtext("{jabber:x:data}value") for f in item} for item in x.findall("{jabber:x:data}item")]
        if found:
            expect([i["jid"] for i in items] == [other.boundjid.bare], f"{filled}: {items}")
            expect(items[0]["first"] == "Bob" and items[0]["last"] == family, f"{items}")
        else:
            expect(not items, f"{filled}: {items}")
    await one.close()
    await other.close()


async def change_the_password():
    """XEP-0077: the form of one's account, a new password, and that the old one is no more."""
    account = Account("ada")
    one = await Client(account, "desk", plugins=PLUGINS + ("xep_0077",)).login()
    form = await one["xep_0077"].get_registration(jid=DOMAIN, timeout=15)
    expect(form["register"]["registered"], "is not registered")
    expect(form.xml.find("{jabber:iq:register}query/{jabber:x:data}x") is not None, "no form")
    old, account.password = account.password, account.password + " and more"
    await one["xep_0077"].change_password(account.password, jid=DOMAIN, timeout=15)
    await one.close()
    again = await Client(account, "desk").login()
    await again.close()
    account.password = old
    late = Client(account, "desk", mech="SCRAM-SHA-1")
    late.open()
    await late.happens("failed_auth")
    await late.close()


async def see_a_picture():
    """XEP-0153: contacts learn of a picture from presence, also of a client that knows nothing of it."""
    import hashlib
    account = Account("ada")
    phone = await Client(account, "phone").login()  # without xep_0153
    desk = await Client(account, "desk", plugins=PLUGINS + ("xep_0153",)).login()
    other = await Client(Account("bob"), "home").login()
    await befriend(phone, other)
    card = desk["xep_0054"].make_vcard()
    card["FN"] = "Ada Lovelace"
    await desk["xep_0054"].publish_vcard(card)
    for data in (b"a picture of tea", b"a picture of coffee"):
        want = hashlib.sha1(data).hexdigest()
        since = len(other.seen)
        await desk["xep_0153"].set_avatar(avatar=data, mtype="image/png", timeout=15)
        for client in (phone, desk):
            await other.gets(f"the picture of {client.label}", lambda s: isinstance(s, Presence) and s["from"] == client.boundjid and
                             s.xml.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo") == want, since)
        got = await other["xep_0054"].get_vcard(account.jid, cached=False, timeout=15)
        expect(got["vcard_temp"]["PHOTO"]["BINVAL"] == data, "another picture is in the vCard")
    phone.send_presence(pshow="away", pstatus="with a picture")
    got = await other.gets("away", lambda s: isinstance(s, Presence) and s["status"] == "with a picture")
    expect(got.xml.findtext("{vcard-temp:x:update}x/{vcard-temp:x:update}photo") == want, "the picture is lost")
    for client in (phone, desk, other):
        await client.close()


def pushed(contact, **want):
    """Matches a roster push about a contact whose item has these values."""
    def match(stanza):
        if not isinstance(stanza, Iq) or stanza["type"] != "set":
            return False
        item = stanza["roster"]["items"].get(contact)
        return item is not None and all(item[name] == value for name, value in want.items())
    return match


async def be_in_a_shared_group():
    """Colleagues come and go by themselves, with their presence; a client may rename and not remove them."""
    one = await Client(Account("ada"), "desk").login()
    other = await Client(Account("bob"), "home").login()
    name, ada, bob = f"tea-{one.account.name}", one.boundjid.bare, other.boundjid.bare
    lift = "lift@phones.example.org"
    group("add", name, "--title", "Tea & biscuits")
    group("member", "add", name, ada, bob)
    for client, contact in ((one, other), (other, one)):
        await client.gets("a colleague", pushed(contact.boundjid.bare, subscription="both", groups=["Tea & biscuits"]))
        await client.gets("the presence", lambda s: isinstance(s, Presence) and s["from"] == contact.boundjid and
                            s["type"] == "available")
        item = client.client_roster[contact.boundjid.bare]
        expect(item["name"] == contact.account.name.capitalize(), f"{client.label} has {item['name']!r}")
    one.send_presence(pshow="dnd", pstatus="kettle")
    await other.gets("what a colleague does", lambda s: isinstance(s, Presence) and s["from"] == one.boundjid and
                       s["status"] == "kettle")
    group("member", "add", name, lift, "--name", "The lift")
    await one.gets("a device", pushed(lift, subscription="both", name="The lift"))
    await one.update_roster(bob, name="Bobby", groups=["Friends"])
    await one.gets("another name", pushed(bob, subscription="both", name="Bobby", groups=["Friends"]))
    try:
        await one.del_roster_item(bob)
        raise Failed("a colleague was removed")
    except IqError as err:
        expect(err.condition == "not-allowed", f"removing a colleague is {err.condition}")
    again = await Client(one.account, "phone").login()
    item = again.client_roster[bob]
    expect(item["name"] == "Bobby" and item["groups"] == ["Friends"], f"item {item['name']!r} {item['groups']}")
    group("remove", name)
    await one.gets("a colleague who goes", pushed(bob, subscription="remove"))
    await one.gets("unavailable", lambda s: isinstance(s, Presence) and s["from"] == other.boundjid and
                     s["type"] == "unavailable")
    await other.gets("a colleague who goes", pushed(ada, subscription="remove"))
    for client in (one, other, again):
        await client.close()


CHECKS = (log_in_as_it_comes, log_in_by_scram, log_in_by_direct_tls, refuse_a_wrong_password,
          subscribe_and_see_presence, rename_and_remove_a_contact, chat, be_told_of_nobody,
          keep_messages_for_later, copy_to_my_other_clients, page_through_the_archive,
          resume_a_broken_stream, hold_presence_while_inactive, block_and_unblock,
          be_invisible_by_a_privacy_list, ask_the_server_things, run_the_server_by_commands,
          keep_settings_on_every_device, see_when_somebody_was_last_there, look_for_people, change_the_password,
          see_a_picture, be_in_a_shared_group, be_served_by_a_component, tell_contacts_a_mood,
          keep_bookmarks_on_every_device, show_keys_to_everybody, see_what_somebody_does)


async def run(check):
    name = check.__name__.replace("_", " ")
    try:
        await asyncio.wait_for(check(), 120)
        report.passed(name)
    except (Failed, XMPPError, asyncio.TimeoutError, OSError) as err:
        report.failed(name, err if str(err) else repr(err))
    except Exception as err:  # a surprise is a failure with its name
        report.failed(name, repr(err))


async def main():
    wanted = set(sys.argv[1:])
    for check in CHECKS:
        if check is log_in_by_direct_tls and not TLS_PORT:
            report.note("no TLS_PORT: direct TLS is not checked")
            continue
        if check is be_in_a_shared_group and not GROUP:
            report.note("no GROUP: shared groups are not checked")
            continue
        if check is be_served_by_a_component and not (COMPONENT and GROUP):
            report.note("no COMPONENT or no GROUP: components are not checked")
            continue
        if check is run_the_server_by_commands and not ADMIN:
            report.note("no ADMIN: commands are not checked")
            continue
        if not wanted or check.__name__ in wanted:
            await run(check)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
    report.exit()
