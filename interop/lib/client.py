"""A slixmpp client that keeps all it receives, so that checks can wait for it."""

import asyncio

import slixmpp
from slixmpp.stanza import Iq, Message, Presence

from check import CA, HOST, PORT, TIMEOUT, TLS_PORT, Failed

PLUGINS = ("xep_0030", "xep_0050", "xep_0054", "xep_0059", "xep_0092", "xep_0115", "xep_0191", "xep_0198", "xep_0199",
           "xep_0202", "xep_0203", "xep_0280", "xep_0297", "xep_0313", "xep_0352", "xep_0359")


# No check makes an account by itself.
CONFIG = {"xep_0077": {"create_account": False}}


class Client(slixmpp.ClientXMPP):
    """One session of an account.

    With mech the client uses only that SASL mechanism, and says that it knows
    nothing of channel binding: this version of slixmpp binds by tls-unique,
    which TLS 1.3 does not have (RFC 9266 §3).
    """

    def __init__(self, account, resource, mech=None, plugins=PLUGINS):
        super().__init__(f"{account.jid}/{resource}", account.password)
        self.account = account
        self.label = f"{account.name}/{resource}"
        self.ca_certs = CA
        self.roster.auto_authorize = None
        self.roster.auto_subscribe = False
        for plugin in plugins:
            self.register_plugin(plugin, CONFIG.get(plugin, {}))
        if mech:
            auth = self["feature_mechanisms"]
            auth.use_mech = mech
            auth.sasl_callback = self._without_channel_binding
        self.seen = []        # every stanza received, in order
        self.happened = []    # (event, data) of those named in EVENTS
        self._news = asyncio.Event()
        self.add_filter("in", self._keep)
        for event in ("session_start", "session_resumed", "failed_auth", "failed_all_auth", "disconnected",
                      "connection_failed", "stream_error", "sm_enabled", "sm_failed", "stanza_acked",
                      "ssl_invalid_chain", "roster_update"):
            self.add_event_handler(event, lambda data, name=event: self._note(name, data))

    def _without_channel_binding(self, required, optional):
        given = self["feature_mechanisms"]._default_credentials(required, optional)
        given.pop("channel_binding", None)
        return given

    def _keep(self, stanza):
        if isinstance(stanza, (Iq, Message, Presence)):
            self.seen.append(stanza)
            self._news.set()
        return stanza

    def _note(self, name, data):
        self.happened.append((name, data))
        self._news.set()

    async def _until(self, what, find):
        """Waits until find returns something, and returns it."""
        deadline = asyncio.get_running_loop().time() + TIMEOUT
        while True:
            self._news.clear()
            found = find()
            if found is not None:
                return found
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._news.wait(), max(left, 0))
            except asyncio.TimeoutError:
                raise Failed(f"{self.label} waited in vain for {what}") from None

    async def gets(self, what, match, since=0):
        """Waits for the first stanza after the first `since` ones that matches."""
        return await self._until(what, lambda: next((s for s in self.seen[since:] if match(s)), None))

    async def happens(self, *names):
        """Waits for the first event of one of these names; returns (name, data)."""
        return await self._until(" or ".join(names), lambda: next((e for e in self.happened if e[0] in names), None))

    async def gets_message(self, body, since=0):
        """Waits for the message with this body."""
        return await self.gets(f"message {body!r}", lambda s: isinstance(s, Message) and s["body"] == body, since)

    def bodies(self):
        """The bodies of all messages received so far, in order."""
        return [s["body"] for s in self.seen if isinstance(s, Message) and s["body"]]

    def open(self, direct_tls=False):
        """Starts to connect."""
        port = TLS_PORT if direct_tls else PORT
        self.connect((HOST, port), use_ssl=direct_tls, force_starttls=not direct_tls)

    async def login(self, presence=True, direct_tls=False):
        """Connects, logs in, asks for the roster and becomes available."""
        self.open(direct_tls)
        name, data = await self.happens("session_start", "failed_all_auth", "connection_failed", "ssl_invalid_chain")
        if name != "session_start":
            raise Failed(f"{self.label} could not log in: {name} {data}")
        await self.get_roster()
        if presence:
            await self.available()
        return self

    async def available(self, **how):
        """Sends presence and waits until the server has echoed it."""
        since = len(self.seen)
        self.send_presence(**how)
        await self.gets("its own presence", lambda s: isinstance(s, Presence) and s["from"] == self.boundjid, since)

    async def barrier(self):
        """Returns when the server has handled all that this client has sent."""
        try:
            await self["xep_0199"].send_ping(self.boundjid.domain, timeout=TIMEOUT)
        except slixmpp.exceptions.XMPPError as err:
            raise Failed(f"{self.label} got no answer to a ping: {err}") from err

    async def close(self):
        """Ends the session politely."""
        await self.disconnect(wait=5.0)


async def befriend(one, other):
    """Subscribes one to other and other to one, by the ordinary stanzas."""
    for asker, asked in ((one, other), (other, one)):
        asker.send_presence_subscription(pto=asked.boundjid.bare, ptype="subscribe")
        await asked.gets("a subscription request", lambda s: isinstance(s, Presence) and
                           s["type"] == "subscribe" and s["from"] == asker.boundjid.bare)
        asked.send_presence_subscription(pto=asker.boundjid.bare, ptype="subscribed")
        await asker.gets("the approval", lambda s: isinstance(s, Presence) and
                           s["type"] == "subscribed" and s["from"] == asked.boundjid.bare)
