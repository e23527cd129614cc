"""What people have when they move: made with a client, and looked at with one."""

import base64
import hashlib

from slixmpp.stanza import Iq, Message, Presence
from slixmpp.xmlstream import ET

from check import Failed, expect
import client

# The smallest picture that is one.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

PASSWORDS = {"ada": "tea for two", "bob": "c0ff<>&e", "carol": "Grüße & Küsse", "dave": "d" * 40, "zoë": "pässwörd"}

EXODUS = "exodus:prefs"
BOOKMARKS = "storage:bookmarks"


class Account:
    """Somebody at a server."""

    def __init__(self, server, name):
        self.name, self.password = name, PASSWORDS[name]
        self.jid = f"{name}@{server.domain}"


class Person(client.Client):
    """A client of an account at a server of this directory."""

    def __init__(self, server, name, resource="desk"):
        plugins = client.PLUGINS + ("xep_0049", "xep_0191")
        super().__init__(Account(server, name), resource, mech="SCRAM-SHA-1", plugins=plugins)
        self.place = server
        self.ca_certs = server.ca

    def open(self, direct_tls=False):
        tls = self.place.ca is not None
        self.connect(("127.0.0.1", self.place.port), use_ssl=False, force_starttls=tls, disable_starttls=not tls)

    async def private(self, element):
        """Keeps an element in private XML storage (XEP-0049), or gets it."""
        iq = self.make_iq_get() if len(element) == 0 else self.make_iq_set()
        query = ET.Element("{jabber:iq:private}query")
        query.append(element)
        iq.append(query)
        got = await iq.send(timeout=15)
        return got.xml.find(f"{{jabber:iq:private}}query/{element.tag}")

    async def archive(self, ids=False):
        """All bodies of the archive, from the oldest on; with their ids if wanted."""
        found = []
        async for page in self["xep_0313"].retrieve(iterator=True, rsm={"max": 50}):
            for m in page["mam"]["results"]:
                inner = m["mam_result"]["forwarded"]["stanza"]
                found.append((m["mam_result"]["id"], inner["body"]) if ids else
                             (inner["from"].bare, inner["to"].bare, inner["body"]))
        return found


def _child(parent, tag, text=None, **attributes):
    e = ET.SubElement(parent, tag, attributes)
    e.text = text
    return e


async def live(server):
    """Makes data of all kinds at a server: see `check` for what it is."""
    ada = await Person(server, "ada").login()
    bob = await Person(server, "bob").login()
    dave = await Person(server, "dave").login()
    at = server.domain

    await client.befriend(ada, bob)
    await ada.update_roster(f"bob@{at}", name="Bob <B>", groups=["Work", "Ringers & Co"])
    await ada.update_roster(f"carol@{at}", name="Carol", groups=[])
    ada.send_presence_subscription(pto=f"carol@{at}", ptype="subscribe")  # she is away and does not answer
    dave.send_presence_subscription(pto=f"ada@{at}", ptype="subscribe")  # ada does not answer
    await ada.gets("dave's request", lambda s: isinstance(s, Presence) and s["type"] == "subscribe" and
                   s["from"].bare == f"dave@{at}")

    card = ada["xep_0054"].make_vcard()
    card["FN"] = "Ada Lovelace"
    card["NICKNAME"] = "Ada"
    card["PHOTO"]["TYPE"] = "image/png"
    card["PHOTO"]["BINVAL"] = PICTURE
    card.append(_tel("+44 20 7946 0000"))
    await ada["xep_0054"].publish_vcard(card)

    prefs = ET.Element(f"{{{EXODUS}}}exodus")
    _child(prefs, f"{{{EXODUS}}}defaultnick", "Countess & Co")
    await ada.private(prefs)

    bookmarks = ET.Element(f"{{{BOOKMARKS}}}storage")
    room = _child(bookmarks, f"{{{BOOKMARKS}}}conference", jid="tea@rooms.example", name="Tea & Cake", autojoin="true")
    _child(room, f"{{{BOOKMARKS}}}nick", "Ada")
    await ada.private(bookmarks)

    await ada["xep_0191"].block([f"mallory@{at}", "spam.example"])

    await bob.get_roster()
    lines = [(ada, bob, "tea?"), (bob, ada, "2 < 3 && 'x' > \"y\""), (ada, bob, "Übung 茶 👋🏽"),
             (bob, ada, "two\nlines"), (ada, bob, "ok"), (ada, bob, "ok"), (bob, ada, "bye")]
    for sender, receiver, body in lines:
        mark = len(receiver.seen)
        sender.send_message(mto=receiver.boundjid.bare, mbody=body, mtype="chat")
        await receiver.gets_message(body, since=mark)
    await bob.barrier()
    await bob.close()
    for n in range(3):
        ada.send_message(mto=f"bob@{at}", mbody=f"for later {n}", mtype="chat")
    ada.send_message(mto=f"carol@{at}", mbody="for carol", mtype="chat")
    await ada.barrier()
    await ada.close()
    await dave.close()
    return [(s.boundjid.bare, r.boundjid.bare, b) for s, r, b in lines]


def _tel(number):
    tel = ET.Element("{vcard-temp}TEL")
    _child(tel, "{vcard-temp}WORK")
    _child(tel, "{vcard-temp}NUMBER", number)
    return tel
