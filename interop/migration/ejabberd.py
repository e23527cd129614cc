"""An ejabberd on the loopback, with a directory of its own.

It runs without Erlang's distribution, so that nothing but its port is open:
accounts are made and exported while it starts.
"""

import glob
import os
import signal
import subprocess

from check import Failed
from local import accepts, free_port, wait_until

CONFIG = """
hosts: ["{domain}"]
loglevel: info
auth_method: internal
auth_password_format: {passwords}
auth_scram_hash: {hash}
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
acl: {{ local: {{ user_regexp: "" }} }}
access_rules: {{ local: {{ allow: local }}, c2s: {{ allow: all }} }}
modules:
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_disco: {{}}
  mod_mam: {{ default: always, assume_mam_usage: false }}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub: {{ access_createnode: local, plugins: [flat, pep] }}
  mod_roster: {{ versioning: true }}
  mod_stream_mgmt: {{}}
  mod_vcard: {{}}
"""

# Where a component connects that serves a domain.
COMPONENT = """  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts: {{ "{name}": {{ password: "{secret}" }} }}
"""


class Ejabberd:
    """An ejabberd for one domain. passwords is "plain" or "scram"."""

    ca = None  # clients come in the clear, over the loopback

    def __init__(self, where, domain, passwords="scram", hash="sha", component=None):
        self.domain, self.port, self.process, self.dir = domain, free_port(), None, where
        self.component_port = free_port() if component else None
        os.makedirs(os.path.join(where, "spool"))
        self.config = os.path.join(where, "ejabberd.yml")
        with open(self.config, "w", encoding="utf-8") as f:
            text = CONFIG.format(domain=domain, port=self.port, passwords=passwords, hash=hash)
            if component:
                text = text.replace("acl:", COMPONENT.format(port=self.component_port, name=component[0], secret=component[1]) + "acl:")
            f.write(text)

    def _erl(self, then):
        """Starts Erlang with ejabberd in it, and then evaluates an expression."""
        env = dict(os.environ, EJABBERD_CONFIG_PATH=self.config, EJABBERD_LOG_PATH=f"{self.dir}/ejabberd.log",
                   EJABBERD_PID_PATH=f"{self.dir}/pid", ERL_LIBS=os.path.dirname(glob.glob("/usr/lib/*/ejabberd-*")[0]),
                   ERL_CRASH_DUMP=f"{self.dir}/crash", HOME=self.dir)
        with open(os.path.join(self.dir, "ejabberd.out"), "ab") as out:
            return subprocess.Popen(["erl", "-noinput", "-mnesia", "dir", f'"{self.dir}/spool"', "-eval",
                                     f"{{ok, _}} = application:ensure_all_started(ejabberd), {then}"],
                                    cwd=self.dir, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                    start_new_session=True)

    def start(self, passwords=()):
        """Starts it, makes accounts, and waits until it listens."""
        made = "".join(f"ok = ejabberd_auth:try_register({_binary(name)}, {_binary(self.domain)}, {_binary(password)}), "
                       for name, password in dict(passwords).items())
        ready = os.path.join(self.dir, "ready")
        self.process = self._erl(f'{made} ok = file:write_file("{ready}", "").')
        wait_until("ejabberd", lambda: os.path.exists(ready) and accepts(self.port), self.process, 60)
        return self

    def once(self, what, expression):
        """Starts it only to evaluate an expression that returns ok."""
        done = self._erl(f"ok = {expression}, init:stop().")
        try:
            status = done.wait(60)
        except subprocess.TimeoutExpired:
            done.kill()
            done.wait()
            status = "none: it did not end"
        if status != 0:
            with open(os.path.join(self.dir, "ejabberd.out"), encoding="utf-8", errors="replace") as f:
                raise Failed(f"ejabberd: {what}: status {status}: {f.read()[-2000:]}")

    def export(self, files):
        """What `ejabberdctl export_piefxis` does."""
        os.makedirs(files, exist_ok=True)
        self.once("export", f'ejabberd_piefxis:export_server("{files}")')

    def load(self, file):
        """What `ejabberdctl import_piefxis` does."""
        self.once("import", f'ejabberd_piefxis:import_file("{file}")')

    def stop(self):
        """Stops it, if it runs."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


def _binary(text):
    """A binary in Erlang, of whatever characters."""
    return "<<" + ",".join(str(b) for b in text.encode()) + ">>"
