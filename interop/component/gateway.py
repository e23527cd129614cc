"""A Rollcall that is only the SIP gateway of another server, with a directory of its own."""

import os
import re
import signal
import subprocess

from check import Failed
from local import free_port, wait_until


class Gateway:
    """`rollcall sipgw --component` for the phones of a domain."""

    def __init__(self, program, where, domain, port, secret, admin):
        self.program, self.dir, self.phones = program, where, f"phones.{domain}"
        self.sip, self.process = free_port(), None
        os.makedirs(where)
        self.log = os.path.join(where, "gateway.log")
        self.secret_file = os.path.join(where, "secret")
        self.learn(secret)
        self.config = os.path.join(where, "rollcall.toml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"""
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

    def learn(self, secret):
        """Writes the secret that it shows from now on."""
        with open(self.secret_file, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(secret + "\n")

    def run(self, *command):
        """Runs a command of the program's with the same configuration."""
        done = subprocess.run([self.program, *command, "--config", self.config], text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Failed(f"rollcall {' '.join(command)}: status {done.returncode}: {done.stdout}")
        return done.stdout

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
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([self.program, "sipgw", "--component", "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        wait_until("the gateway", lambda: self.says().count("msg=ready") > before, self.process)
        return self

    def connected(self, times):
        """Waits until it has connected so often."""
        wait_until("the link", lambda: self.says().count("connected to the XMPP server") >= times, self.process)

    def kill(self):
        """Ends it as kill -9 does."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        """Stops it, if it runs, and returns its status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -1
        finally:
            self.process = None
