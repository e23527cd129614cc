"""A Rollcall that is only the SIP gateway of another server, with a directory of its own."""

import os
import re

from check import Failed
from local import free_port, wait_until
from rollcall import Daemon


class Gateway(Daemon):
    """`rollcall sipgw --component` for the phones of a domain."""

    def __init__(self, program, where, domain, port, secret, admin):
        self.phones, self.sip = f"phones.{domain}", free_port(udp=True)
        self.secret_file = os.path.join(where, "secret")
        super().__init__(program, where, "gateway.log", f"""
[server]
domains = ["{domain}"]
data_dir = "{where}/data"
admins = ["{admin}"]
[log]
level = "debug"
[sip]
listen = ["127.0.0.1:{self.sip}"]
presence_pace = "0s"
[sipgw]
server = "127.0.0.1:{port}"
secret_file = "{self.secret_file}"
retry_max = "1s"
""")
        self.learn(secret)

    def learn(self, secret):
        """Writes the secret that it shows from now on."""
        with open(self.secret_file, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(secret + "\n")

    def add(self, user, *more):
        """Adds a phone and returns its secret."""
        said = self.run("device", "add", user, *more)
        found = re.search(r"Secret\s+(\S+)", said)
        if not found:
            raise Failed(f"a device without a secret: {said}")
        return found.group(1)

    def says(self):
        """The log."""
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def start(self):
        """Starts it and waits until it listens for phones."""
        before = self.says().count("msg=ready")
        return self.launch("sipgw", "--component", what="the gateway", ready=lambda: self.says().count("msg=ready") > before)

    def connected(self, times):
        """Waits until it has connected so often."""
        wait_until("the link", lambda: self.says().count("connected to the XMPP server") >= times, self.process)
