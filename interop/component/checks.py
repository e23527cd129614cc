"""Checks of `rollcall sipgw --component`: phones of a gateway, seen by people of a Prosody, and of an ejabberd where there is one.

ROLLCALL is the program. Everything runs on the loopback in directories of its own.
"""

import asyncio
import logging
import os
import secrets
import shutil
import sys
import tempfile

logging.disable()  # slixmpp logs what a check expects

from slixmpp.exceptions import IqError
from slixmpp.stanza import Message, Presence

import client
from check import TIMEOUT, Failed, Report, expect
from ejabberd import Ejabberd
from gateway import Gateway
from phone import Phone
from local import wait_until
from prosody import MODULES, Prosody

DOMAIN = "localhost"
PASSWORDS = {"ada": "tea for two", "bob": "two for tea"}

report = Report("component")


class Account:
    """Somebody at the other server."""

    def __init__(self, name):
        self.name, self.password, self.jid = name, PASSWORDS[name], f"{name}@{DOMAIN}"


class Person(client.Client):
    """A client of an account at the other server."""

    def __init__(self, server, name, resource="desk"):
        super().__init__(Account(name), resource, mech="SCRAM-SHA-1")
        self.place = server

    def open(self, direct_tls=False):
        self.connect(("127.0.0.1", self.place.port), use_ssl=False, force_starttls=False, disable_starttls=True)

    async def sees(self, phone, what, since=0):
        """Waits until a phone is seen so: "online", "in a call" or "offline"."""
        def match(s):
            if not isinstance(s, Presence) or s["from"].bare != phone:
                return False
            show = s.xml.findtext("{jabber:client}show") or ""
            is_now = {"unavailable": "offline"}.get(s["type"]) or {"": "online", "dnd": "in a call"}.get(show)
            return s["type"] in ("unavailable", "available", "dnd") and is_now == what
        return await self.gets(f"{phone} {what}", match, since)


class Stage:
    """A server, the gateway, two phones."""

    def __init__(self, server, work):
        self.secret = secrets.token_hex(12)
        where, component = os.path.join(work, server.__name__.lower()), (f"phones.{DOMAIN}", self.secret)
        if server is Prosody:
            groups = os.path.join(work, "groups.txt")
            with open(groups, "w", encoding="utf-8") as f:
                f.write(f"[Phones]\nbob@{DOMAIN}=Bob\n2002@phones.{DOMAIN}=Hall\n")
            self.server = Prosody(where, DOMAIN, modules=MODULES + ("groups",), component=component, more=f'groups_file = "{groups}"')
        else:
            self.server = server(where, DOMAIN, component=component)
        self.gateway = Gateway(os.environ["ROLLCALL"], os.path.join(work, "gateway"), DOMAIN, self.server.component_port,
                               self.secret, f"ada@{DOMAIN}")
        self.phones, self.links = [], 0

    def start_server(self):
        """Starts the server."""
        if isinstance(self.server, Ejabberd):
            self.server.start({} if self.links else PASSWORDS)
        else:
            self.server.start()

    async def open(self):
        """Starts everything."""
        self.start_server()
        if isinstance(self.server, Prosody):
            for name, password in PASSWORDS.items():
                self.server.add(name, password)
        keys = {"2001": self.gateway.add("2001", "--name", "Desk phone"), "2002": self.gateway.add("2002"),
                "2003": self.gateway.add("2003")}
        self.gateway.start()
        self.linked()
        self.phones = [await Phone(user, keys[user], self.gateway.phones, self.gateway.sip).plug_in() for user in ("2001", "2002")]

    def linked(self):
        """Waits for one more connection of the gateway's."""
        self.links += 1
        self.gateway.connected(self.links)

    def jid(self, user):
        """The address of a phone."""
        return f"{user}@{self.gateway.phones}"

    def close(self):
        """Ends everything."""
        for phone in self.phones:
            phone.unplug()
        self.gateway.stop()
        self.server.stop()


async def see_a_phone(stage):
    """A phone in the roster is seen online, in a call, out of it and offline."""
    desk, other = stage.phones
    ada = await Person(stage.server, "ada").login()
    for user in ("2001", "2002", "2003"):
        ada.send_presence_subscription(pto=stage.jid(user), ptype="subscribe")
        await ada.gets("the approval", lambda s, j=stage.jid(user): isinstance(s, Presence) and s["type"] == "subscribed" and s["from"] == j)
    await desk.register()
    await ada.sees(stage.jid("2001"), "online")
    await other.register()
    since = len(ada.seen)
    call = await desk.ring(other)
    await ada.sees(stage.jid("2001"), "in a call", since)
    await ada.sees(stage.jid("2002"), "in a call", since)
    since = len(ada.seen)
    await desk.hang_up(call)
    await ada.sees(stage.jid("2001"), "online", since)
    since = len(ada.seen)
    await desk.register(expires=0)
    await ada.sees(stage.jid("2001"), "offline", since)
    await desk.register()
    await ada.sees(stage.jid("2001"), "online", since)
    await ada.close()
    ada = await Person(stage.server, "ada").login()  # whose server asks for her
    await ada.sees(stage.jid("2001"), "online")
    await ada.close()


async def share_a_group(stage):
    """A phone in a shared group of the other server is seen by whom that shows it to."""
    bob = await Person(stage.server, "bob").login()
    hall = stage.jid("2002")
    expect(hall in bob.client_roster, f"the contacts are {list(bob.client_roster)}")
    await bob.sees(hall, "online")
    since = len(bob.seen)
    await stage.phones[1].register(expires=0)
    await bob.sees(hall, "offline", since)
    since = len(bob.seen)
    await stage.phones[1].register()
    await bob.sees(hall, "online", since)
    await bob.close()


async def ask_about_it(stage):
    """A phone and its domain tell what they are."""
    ada = await Person(stage.server, "ada").login()
    info = await ada["xep_0030"].get_info(jid=stage.jid("2001") + "/sip", timeout=TIMEOUT)
    expect(any(i[:2] == ("client", "phone") for i in info["disco_info"]["identities"]), "it is no phone")
    card = await ada["xep_0054"].get_vcard(jid=stage.jid("2001"), timeout=TIMEOUT)
    expect(card["vcard_temp"]["FN"] == "Desk phone", f"its name is {card['vcard_temp']['FN']}")
    version = await ada["xep_0092"].get_version(stage.gateway.phones, timeout=TIMEOUT)
    expect(version["software_version"]["name"] == "Rollcall", "the domain is something else")
    await ada.close()


async def write(stage):
    """Text goes both ways, and who writes to nobody hears so."""
    desk = stage.phones[0]
    ada = await Person(stage.server, "ada").login()
    since = len(desk.seen)
    ada.send_message(mto=stage.jid("2001"), mbody="tea at four?", mtype="chat")
    got = await desk.gets("the text", lambda m: m.method == "MESSAGE" and not m.status, since)
    expect("tea at four?" in got.body, f"it is {got.body!r}")
    status = await desk.write(f"sip:ada@{DOMAIN}", "with milk")
    expect(status == 200, f"the answer is {status}")
    msg = await ada.gets_message("with milk")
    expect(msg["from"].bare == stage.jid("2001") and msg["type"] == "chat", f"it is a {msg['type']} from {msg['from']}")
    status = await desk.write(f"sip:nobody@{DOMAIN}", "is anybody there?")
    expect(400 <= status < 700, f"a text to nobody is answered {status}")
    await ada.close()


async def watch_a_person(stage):
    """A phone watches somebody, who is asked, and sees what their client says."""
    desk = stage.phones[0]
    bob = await Person(stage.server, "bob").login()
    since = len(desk.seen)

    def told(what, *words):
        return desk.gets(what, lambda m: m.method == "NOTIFY" and not m.status and all(w in m["subscription-state"] + m.body for w in words), since)
    await desk.watch(f"sip:bob@{DOMAIN}")
    await told("that it is pending", "pending")
    await bob.gets("the question", lambda s: isinstance(s, Presence) and s["type"] == "subscribe" and s["from"] == stage.jid("2001"))
    bob.send_presence_subscription(pto=stage.jid("2001"), ptype="subscribed")
    await told("that he is there", "active", "open<")
    since = len(desk.seen)
    bob.send_presence(pshow="dnd", pstatus="writing")
    await told("that he is not to be disturbed", "dnd", "open<")
    since = len(desk.seen)
    await bob.close()
    await told("that he has gone", "closed<")


async def order(stage):
    """An administrator of the other server has the gateway's commands, and others have not."""
    ada = await Person(stage.server, "ada").login()
    bob = await Person(stage.server, "bob").login()
    node = "http://jabber.org/protocol/commands"
    for who, can in ((ada, True), (bob, False)):
        items = await who["xep_0030"].get_items(jid=stage.gateway.phones, node=node, timeout=TIMEOUT)
        expect(bool(items["disco_items"]["items"]) == can, f"{who.label} is listed {len(items['disco_items']['items'])} commands")
    show = next(n for _, n, name in (await ada["xep_0030"].get_items(jid=stage.gateway.phones, node=node, timeout=TIMEOUT))
                ["disco_items"]["items"] if name == "See what there is to know about a device")
    asked = await ada["xep_0050"].send_command(stage.gateway.phones, show, timeout=TIMEOUT)
    form = asked["command"]["form"]
    form["type"] = "submit"
    form.set_values({"device": "2001"})
    done = await ada["xep_0050"].send_command(stage.gateway.phones, show, payload=form, sessionid=asked["command"]["sessionid"],
                                              action="complete", timeout=TIMEOUT)
    expect(done["command"]["status"] == "completed" and "Desk phone" in str(done), f"the answer is {done}")
    try:
        await bob["xep_0050"].send_command(stage.gateway.phones, show, timeout=TIMEOUT)
        raise Failed("bob can give commands")
    except IqError as err:
        expect(err.condition == "forbidden", f"the error is {err.condition}")
    await ada.close()
    await bob.close()


async def be_killed(stage):
    """The gateway is killed and comes back: who came meanwhile sees what is so."""
    ada = await Person(stage.server, "ada").login()
    await ada.sees(stage.jid("2001"), "online")
    stage.gateway.kill()
    late = await Person(stage.server, "ada", "late").login()
    stage.gateway.run("device", "remove", "2003")
    since = len(ada.seen)
    stage.gateway.start()
    stage.linked()
    await ada.sees(stage.jid("2001"), "online", since)
    await late.sees(stage.jid("2001"), "online")
    await ada.gets("the end of a phone", lambda s: isinstance(s, Presence) and s["from"].bare == stage.jid("2003") and
                   s["type"] in ("unsubscribed", "unavailable"), since)
    await stage.phones[0].register()
    since = len(ada.seen)
    call = await stage.phones[0].ring(stage.phones[1])
    await ada.sees(stage.jid("2001"), "in a call", since)
    await stage.phones[0].hang_up(call)
    await late.close()
    await ada.close()


async def lose_the_server(stage):
    """The server goes and comes back: phones go on, and what is so is told."""
    desk, other = stage.phones
    stage.server.stop()
    wait_until("word of it", lambda: stage.gateway.says().count("no connection to the XMPP server") >= 1)
    await desk.register(expires=0)
    await other.register()
    call = None
    await desk.register()
    call = await desk.ring(other)
    status = await desk.write(f"sip:ada@{DOMAIN}", "is the chat down?")
    expect(400 <= status < 700, f"a text that cannot leave is answered {status}")
    stage.start_server()
    ada = await Person(stage.server, "ada").login()
    stage.linked()
    await ada.sees(stage.jid("2001"), "in a call")
    await ada.sees(stage.jid("2002"), "in a call")
    since = len(ada.seen)
    await desk.hang_up(call)
    await ada.sees(stage.jid("2002"), "online", since)
    await ada.close()


async def be_refused(stage):
    """A wrong secret is said once, and the right one is taken as soon as it is there."""
    stage.gateway.stop()
    stage.gateway.learn("this is not the secret")
    before = stage.gateway.says()
    stage.gateway.start()
    refused = "does not let the gateway in"
    wait_until("word of it", lambda: refused in stage.gateway.says()[len(before):], stage.gateway.process)
    wait_until("more attempts", lambda: stage.gateway.says()[len(before):].count("there is still no connection") >= 2)
    said = stage.gateway.says()[len(before):]
    expect(said.count(refused) == 1, f"it is said {said.count(refused)} times")
    expect("not the secret" not in said and stage.secret not in said, "the secret is in the log")
    stage.gateway.learn(stage.secret)
    stage.linked()


async def leave(stage):
    """The gateway stops in good order, and says that no phone is there any more."""
    ada = await Person(stage.server, "ada").login()
    await ada.sees(stage.jid("2002"), "online")
    since = len(ada.seen)
    status = stage.gateway.stop()
    expect(status == 0, f"its status is {status}")
    await ada.sees(stage.jid("2002"), "offline", since)
    await ada.close()


CHECKS = (see_a_phone, share_a_group, ask_about_it, write, watch_a_person, order, be_killed, lose_the_server, be_refused, leave)


async def check(server):
    """Does all checks with one kind of server."""
    work = tempfile.mkdtemp(prefix="component")
    stage = None
    name = server.__name__
    try:
        os.makedirs(os.path.join(work, name.lower()))
        stage = Stage(server, work)
        await stage.open()
        for one in CHECKS:
            if one is share_a_group and server is not Prosody:  # ejabberd's are made with a module for its database
                continue
            what = f"{name}: {one.__doc__.splitlines()[0].rstrip('.')}"
            try:
                await asyncio.wait_for(one(stage), 120)
                report.passed(what)
            except (Failed, IqError, asyncio.TimeoutError) as err:
                report.failed(what, err if str(err) else type(err).__name__)
        errors = [line for line in stage.gateway.says().splitlines()
                  if "level=ERROR" in line and "does not let the gateway in" not in line or "panic:" in line]
        if errors:
            report.failed(f"{name}: there are no errors in the log", errors[0])
        else:
            report.passed(f"{name}: there are no errors in the log")
    except Failed as err:
        report.failed(f"{name}: start", err)
    finally:
        if stage is not None:
            stage.close()
        if os.environ.get("KEEP"):
            print(work, flush=True)
        else:
            shutil.rmtree(work, ignore_errors=True)


async def main():
    """Does all checks."""
    await check(Prosody)
    if shutil.which("ejabberdctl") and shutil.which("erl"):
        await check(Ejabberd)
    else:
        report.note("no ejabberd here: only a Prosody was tried")


if __name__ == "__main__":
    asyncio.run(main())
    report.exit()
