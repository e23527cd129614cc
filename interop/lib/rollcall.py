"""A Rollcall on the loopback, with a directory of its own."""

import os
import signal
import subprocess

from check import Failed
from local import accepts, free_port, wait_until


class Rollcall:
    """A Rollcall for one domain; its clients come with STARTTLS.

    Its phones come to sip_port, by UDP and TCP, if that is given. What more it is
    to be told is TOML.
    """

    def __init__(self, program, where, domain, sip_port=None, more=""):
        self.program, self.dir, self.domain = program, where, domain
        self.port, self.sip_port, self.process = free_port(), sip_port, None
        os.makedirs(where)
        self.ca = os.path.join(where, "data", "tls", "self-signed.crt")
        self.config = os.path.join(where, "rollcall.toml")
        self.log = os.path.join(where, "rollcall.log")
        sip = f'"127.0.0.1:{sip_port}"' if sip_port else ""
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"""
[server]
domains = ["{domain}"]
data_dir = "{where}/data"
[c2s]
listen = ["127.0.0.1:{self.port}"]
listen_tls = []
[auth]
mechanisms = ["SCRAM-SHA-1", "PLAIN"]
[sip]
listen = [{sip}]
{more}
""")

    def run(self, *words, given=None):
        """Runs `rollcall ...` with what is given on its standard input, and returns what it printed."""
        done = subprocess.run([self.program, *words, "--config", self.config], text=True, timeout=60, input=given or "",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Failed(f"rollcall {' '.join(words)}: status {done.returncode}: {done.stdout}")
        return done.stdout

    def account(self, *command):
        """Runs `rollcall account ...` and returns what it printed."""
        return self.run("account", *command)

    def start(self):
        """Starts it and waits until it listens."""
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([self.program, "serve", "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, start_new_session=True)
        wait_until("Rollcall", lambda: accepts(self.port) and (not self.sip_port or accepts(self.sip_port)), self.process)
        return self

    def stop(self):
        """Stops it, if it runs."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self):
        """Ends it at once, as a power cut does."""
        self.process.kill()
        self.process.wait()
        self.process = None
