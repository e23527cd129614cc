"""A linphonec without sound."""

import os

from local import free_port
from program import Program

CONFIG = """
[sip]
sip_port={sip}
sip_tcp_port={tcp}
sip_tls_port=0
bind_address=127.0.0.1
use_ipv6=0
default_proxy=0

[rtp]
audio_rtp_port={rtp}

[video]
enabled=0

[auth_info_0]
username={user}
passwd={secret}
realm={realm}
domain={realm}

[proxy_0]
reg_proxy=<sip:127.0.0.1:{port}{transport}>
reg_route=<sip:127.0.0.1:{port}{transport}>
reg_identity="{name}" <sip:{jid}>
reg_expires=300
reg_sendregister=1
publish=0
"""

FRIEND = """
[friend_{n}]
url="{name}" <sip:{jid}>
pol=accept
subscribe=1
"""


class Linphone(Program):
    """A linphonec that is one device."""

    def __init__(self, house, device, friends=(), secret=None, tcp=False):
        super().__init__(f"linphonec {device.user}")
        self.dir, self.device = house.directory("linphone"), device
        os.makedirs(os.path.join(self.dir, ".local", "share", "linphone"))
        with open(os.path.join(self.dir, "rc"), "w", encoding="utf-8") as f:
            f.write(CONFIG.format(sip=0 if tcp else free_port(udp=True), tcp=free_port() if tcp else 0, transport=";transport=tcp" if tcp else "", rtp=free_port(udp=True), port=house.sip_port, user=device.user,
                                  secret=secret or device.secret, realm=device.jid.split("@")[1], name=device.name, jid=device.jid))
            for n, (name, jid) in enumerate(friends):
                f.write(FRIEND.format(n=n, name=name, jid=jid))
        house.guest(self)

    async def start(self, registers=True):
        """Starts it, and waits until it is registered."""
        since = self.mark()
        self.run("linphonec", "-d", "1", "-c", os.path.join(self.dir, "rc"), cwd=self.dir, HOME=self.dir)
        await self.says("linphonec> ", since)
        if registers:
            await self.says(r"to \[LinphoneRegistrationOk\]", since)
        return self
