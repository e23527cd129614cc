"""A Rollcall on the loopback, with a directory of its own."""

import os
import signal
import subprocess

from check import Failed
from prosody import accepts, free_port, wait_until


class Rollcall:
    """A Rollcall for one domain; its clients come with STARTTLS."""

    def __init__(self, program, where, domain):
        self.program, self.dir, self.domain = program, where, domain
        self.port, self.process = free_port(), None
        os.makedirs(where)
        self.ca = os.path.join(where, "data", "tls", "self-signed.crt")
        self.config = os.path.join(where, "rollcall.toml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"""
[server]
domains = ["{domain}"]
data_dir = "{where}/data"
[c2s]
listen = ["127.0.0.1:{self.port}"]
listen_tls = []
[sip]
listen = []
[auth]
mechanisms = ["SCRAM-SHA-1", "PLAIN"]
""")

    def account(self, *command):
        """Runs `rollcall account ...` and returns what it printed."""
        done = subprocess.run([self.program, "account", *command, "--config", self.config], text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Failed(f"rollcall account {' '.join(command)}: status {done.returncode}: {done.stdout}")
        return done.stdout

    def start(self):
        """Starts it and waits until it listens."""
        with open(os.path.join(self.dir, "rollcall.log"), "ab") as out:
            self.process = subprocess.Popen([self.program, "serve", "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, start_new_session=True)
        wait_until("Rollcall", lambda: accepts(self.port), self.process)
        return self

    def stop(self):
        """Stops it, if it runs."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
