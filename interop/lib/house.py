"""A house with people and telephones: a Rollcall with SIP, of the checks that start it."""

import asyncio
import contextlib
import os
import re
import secrets
import sqlite3
import tempfile
from dataclasses import dataclass

from slixmpp.stanza import Presence

from check import Failed
from client import PLUGINS, Client
from local import free_port
from rollcall import Rollcall

DOMAIN = "house.example"
PHONES = f"phones.{DOMAIN}"

# What watchers are told they are told at once, so that checks need not wait.
AT_ONCE = """
presence_pace = "0s"
dialog_pace = "0s"
registration_pace = "0s"
"""


@dataclass
class Account:
    """Somebody's account."""
    name: str
    jid: str
    password: str


@dataclass
class Device:
    """A device, and what it registers with."""
    user: str
    jid: str
    name: str
    secret: str

    @property
    def uri(self):
        """Its address as other phones dial it."""
        return f"sip:{self.jid}"


class Person(Client):
    """A client of somebody in the house."""

    def __init__(self, house, account, resource="desk"):
        super().__init__(account, resource, mech="SCRAM-SHA-1", plugins=PLUGINS)
        self.house, self.ca_certs = house, house.ca

    def open(self, direct_tls=False):
        self.connect(("127.0.0.1", self.house.port), use_ssl=False, force_starttls=True)

    async def sees(self, who, show=None, status=None, since=0, what=None):
        """Waits until the newest presence of somebody has a show ("" is none, "unavailable" is
        none at all) and a status that a pattern matches, and returns it.

        who is a bare or a full JID. Only what came after the first `since` stanzas counts.
        """
        def newest():
            return next((s for s in reversed(self.seen[since:]) if _is_presence(s, who)), None)

        def matches():
            p = newest()
            if p is None or show is not None and _show(p) != show or status is not None and not re.search(status, p["status"]):
                return None
            return p
        try:
            return await self._until(what or f"{who} as {show!r} {status or ''}", matches)
        except Failed as err:
            p = newest()
            raise Failed(f"{err}; last seen is {None if p is None else (_show(p), p['status'])}") from None

    def saw(self, who, since=0, until=None):
        """What was seen of somebody after the first `since` stanzas, and up to a mark, as (show, status)."""
        return [(_show(s), s["status"]) for s in self.seen[since:until] if _is_presence(s, who)]

    def mark(self):
        """Where it is now in what it receives."""
        return len(self.seen)


def _is_presence(stanza, who):
    return (isinstance(stanza, Presence) and stanza.xml.get("type") in (None, "unavailable") and
            who in (stanza["from"].bare, str(stanza["from"])))


def _show(presence):
    if presence.xml.get("type") == "unavailable":
        return "unavailable"
    return presence.xml.findtext("{jabber:client}show") or ""


class House(Rollcall):
    """A Rollcall, whose devices are at PHONES, and those who live there."""

    def __init__(self, work, more=""):
        super().__init__(os.environ["ROLLCALL"], os.path.join(work, "rollcall"), DOMAIN, free_port(udp=True), AT_ONCE + more)
        self.work = work
        self._guests = []  # what ends when a check ends

    def account_of(self, stem):
        """Makes an account."""
        a = Account(f"{stem}-{secrets.token_hex(3)}", "", secrets.token_urlsafe(12))
        a.jid = f"{a.name}@{DOMAIN}"
        self.run("account", "add", a.jid, "--password-stdin", given=a.password + "\n")
        return a

    def colleagues(self, *accounts):
        """Makes a group of people who see one another, and returns its name."""
        name = f"staff-{secrets.token_hex(3)}"
        self.run("group", "add", name, "--title", f"Staff {name[-6:]}")
        self.run("group", "member", "add", name, *(a.jid for a in accounts))
        return name

    def device(self, owner=None, seen_by=None, *more, secret=True):
        """Enters a phone of somebody, for a group of people to see; without a secret if it is registered elsewhere."""
        user = f"2{secrets.randbelow(10**6):06}"
        d = Device(user, f"{user}@{PHONES}", f"Phone {user}", secrets.token_urlsafe(12))
        words = ["--owner", owner.jid] if owner else []
        if seen_by:
            words += ["--group", f"phones-{seen_by}", "--visible-to", seen_by]
        if secret:
            words.append("--secret-stdin")
        self.run("device", "add", user, "--name", d.name, *words, *more, given=d.secret + "\n" if secret else None)
        return d

    def directory(self, stem):
        """Makes a directory."""
        return tempfile.mkdtemp(prefix=f"{stem}-", dir=self.work)

    def guest(self, guest):
        """Has something ended when the check ends; it has stop or close."""
        self._guests.append(guest)
        return guest

    async def client(self, account, resource="desk", **presence):
        """Logs somebody in."""
        one = self.guest(Person(self, account, resource))
        await one.login(presence=False)
        await one.available(**presence)
        return one

    async def stored(self, table, rows=1, seconds=5):
        """Waits until the database has rows in a table: what is written behind the back of a call, say, before a crash."""
        deadline = asyncio.get_running_loop().time() + seconds
        path = os.path.join(self.dir, "data", "rollcall.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            while (n := db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) < rows:
                if asyncio.get_running_loop().time() > deadline:
                    raise Failed(f"after {seconds} s there are {n} rows in {table}")
                await asyncio.sleep(0.02)

    async def clear(self):
        """Ends the guests of a check."""
        guests, self._guests = self._guests, []
        for g in reversed(guests):
            stop = getattr(g, "stop", None) if not isinstance(g, Client) else g.close
            try:
                await asyncio.wait_for(stop(), 15)
            except asyncio.TimeoutError:
                pass  # it was told to; the check has its verdict

    def errors(self):
        """The lines of the log that no server should write."""
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return [line.strip() for line in f if re.search(r"level=ERROR|^panic:|DATA RACE", line)]
