"""A Rollcall on the loopback, or a part of one, with a directory of its own."""

import os
import signal
import subprocess

from check import Failed
from local import accepts, free_port, wait_until


class Daemon:
    """A `rollcall` that runs until it is stopped, with a directory, a configuration in TOML and a log."""

    def __init__(self, program, where, log, config):
        self.program, self.dir, self.process = program, where, None
        os.makedirs(where)
        self.log = os.path.join(where, log)
        self.config = os.path.join(where, "rollcall.toml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(config)

    def run(self, *words, given=None):
        """Runs `rollcall ...` with what is given on its standard input, and returns what it printed."""
        done = subprocess.run([self.program, *words, "--config", self.config], text=True, timeout=60, input=given or "",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Failed(f"rollcall {' '.join(words)}: status {done.returncode}: {done.stdout}")
        return done.stdout

    def launch(self, *words, what, ready):
        """Starts `rollcall ...`, which goes on, and waits until ready() is true."""
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([self.program, *words, "--config", self.config], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, start_new_session=True)
        wait_until(what, ready, self.process)
        return self

    def stop(self):
        """Stops it, if it runs, and returns its status; that of one that does not stop is negative."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process = None

    def kill(self):
        """Ends it at once, as a power cut does."""
        self.process.kill()
        self.process.wait()
        self.process = None


class Rollcall(Daemon):
    """A Rollcall for one domain; its clients come with STARTTLS.

    Its phones come to sip_port, by UDP and TCP, if that is given. What more it is
    to be told is TOML.
    """

    def __init__(self, program, where, domain, sip_port=None, more=""):
        self.domain, self.port, self.sip_port = domain, free_port(), sip_port
        sip = f'"127.0.0.1:{sip_port}"' if sip_port else ""
        super().__init__(program, where, "rollcall.log", f"""
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
        self.ca = os.path.join(where, "data", "tls", "self-signed.crt")

    def account(self, *command):
        """Runs `rollcall account ...` and returns what it printed."""
        return self.run("account", *command)

    def start(self):
        """Starts it and waits until it listens."""
        return self.launch("serve", what="Rollcall",
                           ready=lambda: accepts(self.port) and (not self.sip_port or accepts(self.sip_port)))
