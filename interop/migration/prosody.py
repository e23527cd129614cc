"""A Prosody on the loopback, with a directory of its own, and its migrator."""

import os
import shutil
import signal
import subprocess

from check import Failed
from local import accepts, free_port, wait_until

# What Debian's prosody.cfg.lua enables and that touches data, and the archive
# of messages (mam), which it leaves for the operator to enable.
MODULES = ("disco", "roster", "saslauth", "tls", "blocklist", "bookmarks", "carbons", "pep", "private", "smacks",
           "vcard4", "vcard_legacy", "csi_simple", "ping", "register", "time", "uptime", "version", "offline", "mam",
           "posix")

# The stores of an account that mod_storage_xep0227 knows.
STORES = ("accounts", "roster", "vcard", "private", "archive-archive", "pep-pubsub")


class Prosody:
    """A Prosody for one domain."""

    ca = None  # it has no certificate: clients come in the clear, over the loopback

    def __init__(self, where, domain, modules=MODULES, plugins=None, component=None, more=""):
        self.domain, self.port, self.process = domain, free_port(), None
        self.component_port = free_port() if component else None
        self.component = component  # (domain, secret) of one that may connect
        self.dir = where
        self.data = os.path.join(where, "data")
        os.makedirs(self.data)
        self.config = os.path.join(where, "prosody.cfg.lua")
        self.plugins = plugins
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"""
run_as_root = true
pidfile = "{where}/prosody.pid"
data_path = "{self.data}"
plugin_paths = {{ {f'"{plugins}"' if plugins else ''} }}
log = {{ info = "{where}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.port} }}
s2s_ports = {{}}
component_ports = {{ {self.component_port or ""} }}
http_ports = {{}}
https_ports = {{}}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
modules_enabled = {{ {', '.join(f'"{m}"' for m in modules)} }}
modules_disabled = {{ "s2s", "http", "http_errors" }}
{more}
VirtualHost "{domain}"
""")
            if component:
                f.write(f'Component "{component[0]}"\n    component_secret = "{component[1]}"\n')

    def start(self):
        """Starts it and waits until it listens."""
        with open(os.path.join(self.dir, "prosody.out"), "ab") as out:
            self.process = subprocess.Popen(["prosody", "--config", self.config, "-F"], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, start_new_session=True)
        wait_until("Prosody", lambda: accepts(self.port), self.process)
        return self

    def stop(self):
        """Stops it, if it runs."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def run(self, *command):
        """Runs a command of Prosody's and returns what it said."""
        done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        if done.returncode != 0:
            raise Failed(f"{command[0]} {command[-1]}: {done.stdout}")
        return done.stdout

    def add(self, name, password):
        """Makes an account."""
        self.run("prosodyctl", "--config", self.config, "register", name, self.domain, password)

    def migrate(self, source, target, files, stores=STORES):
        """Runs prosody-migrator between "internal" and "xep0227", with the XEP-0227 files in a directory.

        The migrator keeps them in the data directory that Debian has built into
        it; a copy is told of another one.
        """
        os.makedirs(files, exist_ok=True)
        migrator = os.path.join(self.dir, "migrator")
        with open(shutil.which("prosody-migrator"), encoding="utf-8") as f:
            text = f.read()
        with open(migrator, "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), 0o700)
            f.write(text.replace("CFG_DATADIR='/var/lib/prosody'", f"CFG_DATADIR='{files}'"))
        config = os.path.join(self.dir, "migrator.cfg.lua")
        with open(config, "w", encoding="utf-8") as f:
            hosts = f'hosts = {{ ["{self.domain}"] = {{ {", ".join(repr(s) for s in stores)} }} }};'
            f.write(f"""
internal {{ {hosts} type = "internal"; path = "{self.data}" }}
xep0227 {{ {hosts} type = "xep0227" }}
""")
        # Without --keep-going it stops at the first account that has nothing in an
        # archive, and when it looks for one of the host.
        out = self.run(migrator, "--root", "--keep-going", "--config", config, source, target)
        if "Done!" not in out:
            raise Failed(f"prosody-migrator: {out}")
        return out

    def export_rest(self, file):
        """Writes what the migrator leaves behind, by contrib/prosody/mod_export_rest.lua."""
        return self.run("prosodyctl", "--root", "--config", self.config, "mod_export_rest", self.domain, file)
