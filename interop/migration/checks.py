"""Checks of moving: people of a Prosody move to Rollcall, and from there to a Prosody again.

ROLLCALL is the program. Everything runs on the loopback in directories of its
own. Where an ejabberd is installed, people move there, too.
"""

import asyncio
import logging
import os
import shutil
import sys
import tempfile

logging.disable()  # slixmpp logs what a check expects

from slixmpp.exceptions import XMPPError
from slixmpp.stanza import Presence
from slixmpp.xmlstream import ET

from check import Failed, Report, expect
from ejabberd import Ejabberd
from people import BOOKMARKS, EXODUS, PASSWORDS, PICTURE, Person
from prosody import Prosody
from rollcall import Rollcall

DOMAIN = "old.example"
PLUGINS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib", "prosody")
LATER = [f"for later {n}" for n in range(3)]

report = Report("migration")


class Move:
    """What the checks hand on to one another."""

    def __init__(self, work):
        self.work = work
        self.program = os.environ["ROLLCALL"]
        self.said = []  # what ada and bob said to each other at the first server
        self.ids = []   # of ada's archive, as Rollcall calls its messages

    def path(self, *names):
        """A path in the directory of these checks."""
        return os.path.join(self.work, *names)


async def live(move):
    """People have a life at Prosody: accounts, contacts, vCards, history, messages that wait."""
    import people
    move.old = Prosody(move.path("prosody"), DOMAIN, plugins=PLUGINS).start()
    try:
        for name, password in PASSWORDS.items():
            move.old.add(name, password)
        move.said = await people.live(move.old)
    finally:
        move.old.stop()


async def move_from_prosody(move):
    """prosody-migrator and mod_export_rest write files; Rollcall takes them in, and nothing twice."""
    files = move.path("from-prosody")
    move.old.migrate("internal", "xep0227", files)
    move.old.export_rest(move.path("rest.xml"))
    move.ours = Rollcall(move.program, move.path("rollcall"), DOMAIN)
    all_files = sorted(os.path.join(files, f) for f in os.listdir(files))
    said = move.ours.account("import", "--dry-run", *all_files)
    expect(f"{len(PASSWORDS)} added" in said, f"a dry run says {said}")
    expect("@" not in move.ours.account("list"), "a dry run added accounts")
    said = move.ours.account("import", *all_files)
    expect(f"accounts: {len(PASSWORDS)} added" in said and "problems" not in said, said)
    said = move.ours.account("import", "--existing", "merge", move.path("rest.xml"))
    expect("4 offline messages" in said and "1 privacy lists" in said, said)
    for again in (all_files, [move.path("rest.xml")]):
        said = move.ours.account("import", "--existing", "merge", *again)
        expect("added:" not in said and " 0 changed" in said, f"a second time: {said}")
    move.ours.start()


async def refuse_others(move, server):
    """The password is what it was, and nothing else is."""
    one = Person(server, "ada")
    one.password = "coffee"
    one.open()
    name, _ = await one.happens("failed_auth", "session_start")
    expect(name == "failed_auth", f"a wrong password: {name}")
    await one.close()
    for name in PASSWORDS:
        one = await Person(server, name).login(presence=False)
        await one.close()


async def find_contacts(server, asked=True):
    """Contacts, groups, who is asked (ejabberd forgets that), and who asks."""
    ada = await Person(server, "ada").login()
    bob = ada.client_roster[f"bob@{DOMAIN}"]
    expect(bob["name"] == "Bob <B>" and bob["subscription"] == "both" and sorted(bob["groups"]) == ["Ringers & Co", "Work"],
           f"bob is {bob['name']!r} {bob['subscription']} {bob['groups']}")
    carol = ada.client_roster[f"carol@{DOMAIN}"]
    expect(carol["name"] == "Carol" and carol["subscription"] == "none" and carol["pending_out"] == asked, f"carol is {carol._state}")
    await ada.gets("dave's request", lambda s: isinstance(s, Presence) and s["type"] == "subscribe" and
                   s["from"].bare == f"dave@{DOMAIN}")
    bob = await Person(server, "bob").login()
    await ada.gets("bob's presence", lambda s: isinstance(s, Presence) and s["from"] == bob.boundjid)
    await bob.gets("ada's presence", lambda s: isinstance(s, Presence) and s["from"] == ada.boundjid)
    await ada.close()
    await bob.close()


async def find_card(server, picture=True):
    """The vCard with its picture."""
    bob = await Person(server, "bob").login(presence=False)
    card = (await bob["xep_0054"].get_vcard(f"ada@{DOMAIN}", cached=False, timeout=15))["vcard_temp"]
    expect(card["FN"] == "Ada Lovelace" and card["NICKNAME"] in ("Ada", ["Ada"]), f"{card}")
    if picture:
        expect(card["PHOTO"]["BINVAL"] == PICTURE, "the picture is another one")
    await bob.close()


async def find_settings(server):
    """Private XML and bookmarks."""
    ada = await Person(server, "ada").login(presence=False)
    got = await ada.private(ET.Element(f"{{{EXODUS}}}exodus"))
    expect(got.findtext(f"{{{EXODUS}}}defaultnick") == "Countess & Co", "the setting is gone")
    got = await ada.private(ET.Element(f"{{{BOOKMARKS}}}storage"))
    room = got.find(f"{{{BOOKMARKS}}}conference")
    expect(room is not None and room.get("jid") == "tea@rooms.example" and room.get("name") == "Tea & Cake", "the bookmark is gone")
    await ada.close()


async def find_blocked(server):
    """Whom ada has blocked."""
    ada = await Person(server, "ada").login(presence=False)
    got = (await ada["xep_0191"].get_blocked(timeout=15))["blocklist"]["items"]
    expect({str(j) for j in got} == {f"mallory@{DOMAIN}", "spam.example"}, f"blocked are {got}")
    await ada.close()


async def find_history(server, said, more=()):
    """The archives of both, in order; returns the ids of ada's."""
    ada = await Person(server, "ada").login(presence=False)
    got = await ada.archive()
    want = said + [(f"ada@{DOMAIN}", f"bob@{DOMAIN}", body) for body in LATER] + [(f"ada@{DOMAIN}", f"carol@{DOMAIN}", "for carol")]
    expect(got == want + list(more), f"ada's archive is {got}")
    ids = [i for i, _ in await ada.archive(ids=True)]
    await ada.close()
    bob = await Person(server, "bob").login(presence=False)
    got = await bob.archive()
    expect(got == want[:-1], f"bob's archive is {got}")
    await bob.close()
    return ids


async def find_what_waits(server):
    """Messages that waited, once, in order, with the time at which they came."""
    bob = await Person(server, "bob").login()
    last = await bob.gets_message(LATER[-1])
    expect(bob.bodies() == LATER, f"what waits is {bob.bodies()}")
    expect(last.xml.find("{urn:xmpp:delay}delay") is not None, "no delay stamp")
    await bob.barrier()
    await bob.close()
    bob = await Person(server, "bob").login()
    await bob.barrier()
    expect(not bob.bodies(), f"it comes again: {bob.bodies()}")
    await bob.close()


async def look_around(move):
    """Everything is at Rollcall as it was at Prosody."""
    ours = move.ours
    await refuse_others(move, ours)
    await find_card(ours)
    await find_settings(ours)
    await find_blocked(ours)
    move.ids = await find_history(ours, move.said)
    # What waits is for the first client that is available.
    move.export = move.path("all.xml")
    ours.account("export", "--output", move.export)
    ours.account("export", "--directory", move.path("to-prosody"))
    ours.account("export", "--output", move.path("for-ejabberd.xml"), "--for", "ejabberd")
    await find_what_waits(ours)
    await find_contacts(ours)


async def put_back(move):
    """An export that is imported into another Rollcall, while that runs, comes out the same but for the ids."""
    other = Rollcall(move.program, move.path("other"), DOMAIN).start()
    try:
        said = other.account("import", move.export)
        expect(f"accounts: {len(PASSWORDS)} added" in said and "problems" not in said, said)
        await find_contacts(other)
        await find_history(other, move.said)
        said = other.account("import", "--existing", "merge", move.export)
        expect("4 offline messages" not in said.split("here already")[0], f"a second time: {said}")
    finally:
        other.stop()


async def move_to_prosody(move):
    """Prosody takes in what Rollcall exported: passwords, contacts, settings, vCard, history with the ids that clients know."""
    new = Prosody(move.path("prosody-2"), DOMAIN, plugins=PLUGINS)
    new.migrate("xep0227", "internal", move.path("to-prosody"))
    new.start()
    try:
        await refuse_others(move, new)
        ids = await find_history(new, move.said)
        expect(ids == move.ids, f"the ids of the archive were {move.ids} and are {ids}")
        await find_contacts(new)
        # mod_vcard_legacy moves the vCard into PEP when its owner logs in.
        await find_card(new)
        await find_settings(new)
    finally:
        new.stop()


async def move_to_ejabberd(move):
    """ejabberd takes in what Rollcall exported for it: passwords, contacts, vCard, settings, blocklist, messages that wait."""
    new = Ejabberd(move.path("ejabberd"), DOMAIN)
    new.load(move.path("for-ejabberd.xml"))
    new.start()
    try:
        await find_card(new)
        await find_what_waits(new)
        await find_contacts(new, asked=False)
        await refuse_others(move, new)
        await find_settings(new)
        await find_blocked(new)
    finally:
        new.stop()


CHECKS = (live, move_from_prosody, look_around, put_back, move_to_prosody, move_to_ejabberd)


async def main(work):
    move = Move(work)
    try:
        for check in CHECKS:
            name = check.__name__.replace("_", " ")
            if check is move_to_ejabberd and not shutil.which("ejabberdctl"):
                report.note("no ejabberd is installed: nobody moves there")
                continue
            try:
                await asyncio.wait_for(check(move), 60)
                report.passed(name)
            except (Failed, XMPPError, asyncio.TimeoutError, OSError) as err:
                report.failed(name, err if str(err) else repr(err))
                if check in CHECKS[:3]:
                    break  # the others go on from there
            except Exception as err:  # a surprise is a failure with its name
                report.failed(name, repr(err))
                break
    finally:
        if hasattr(move, "ours"):
            move.ours.stop()


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as directory:
        loop.run_until_complete(main(directory))
    report.exit()
