"""Checks with profanity, a terminal client, driven through tmux: two people at two terminals."""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from check import HOST, PORT, TIMEOUT, Account, Failed, Report, expect

report = Report("profanity")
SOCKET = f"rollcall-interop-{os.getpid()}"

# Profanity's own files: an account that connects to HOST:PORT, demands TLS and
# trusts whatever certificate it is shown, as `/account set … tls trust` does.
ACCOUNT = """[{jid}]
enabled=true
jid={jid}
password={password}
resource=terminal
server={host}
port={port}
tls.policy=trust
presence.last=online
presence.login=online
priority.online=0
priority.chat=0
priority.away=0
priority.xa=0
priority.dnd=0
"""
SETTINGS = """[ui]
beep=false
flash=false
splash=false
wins.autotidy=false
roster=true
occupants=false
[notifications]
message=off
typing=false
[connection]
carbons=true
[logging]
maxsize=1048580
chlog=true
"""


def tmux(*args):
    done = subprocess.run(["tmux", "-L", SOCKET, "-f", "/dev/null", *args], text=True, timeout=30, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed(f"tmux {args[0]}: {done.stdout.strip()}")
    return done.stdout


class Terminal:
    """One profanity in a tmux window of its own."""

    def __init__(self, account, home):
        self.account, self.home = account, home
        self._write("config/profanity/profrc", SETTINGS)
        self._write("data/profanity/accounts", ACCOUNT.format(
            jid=account.jid, password=account.password, host=HOST, port=PORT))
        command = "env -u TMUX HOME={0} XDG_CONFIG_HOME={0}/config XDG_DATA_HOME={0}/data XDG_STATE_HOME={0}/state " \
                  "LC_ALL=C.UTF-8 TERM=screen-256color profanity -a {1}".format(
                      shlex.quote(home), shlex.quote(account.jid))
        tmux("new-session", "-d", "-s", account.name, "-x", "140", "-y", "45", command)

    def _write(self, name, text):
        path = os.path.join(self.home, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o600)

    def screen(self):
        """What the terminal shows now."""
        return tmux("capture-pane", "-p", "-t", self.account.name)

    def sees(self, text, *unless):
        """Waits until text is on the screen; gives up at once if one of unless is."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            screen = self.screen()
            if text in screen:
                return screen
            for bad in unless:
                expect(bad not in screen, f"{self.account.name} was shown {bad!r} instead of {text!r}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.account.name} was not shown {text!r}; the screen: {screen}")
            time.sleep(0.1)  # between two looks at the screen

    def types(self, line):
        """Types a line and Enter."""
        tmux("send-keys", "-t", self.account.name, "-l", line)
        tmux("send-keys", "-t", self.account.name, "Enter")


def log_in(one, other):
    """Both connect over TLS and say so."""
    for terminal in (one, other):
        terminal.sees(f"{terminal.account.jid}/terminal logged in successfully", "Login failed", "Lost connection")
        terminal.types("/tls cert")
        terminal.sees("Subject:", "No TLS connection", "not currently connected")


def subscribe(one, other):
    """A subscription request is shown and allowed, in both directions."""
    for asker, asked in ((one, other), (other, one)):
        asker.types(f"/sub request {asked.account.jid}")
        asked.sees(f"Received authorization request from {asker.account.jid}")
        asked.types(f"/sub allow {asker.account.jid}")
        asker.sees(f"Subscription received from {asked.account.jid}")
    for terminal, contact in ((one, other), (other, one)):
        terminal.types("/roster online")
        terminal.sees(contact.account.jid)
        terminal.types(f"/sub show {contact.account.jid}")
        terminal.sees("subscription status: both")


def presence(one, other):
    """A status with a text appears at the other's terminal."""
    one.types('/status set away "gone for tea"')
    other.sees(f'{one.account.jid} (terminal) is away, "gone for tea"')
    one.types('/status set online "back at the desk"')
    other.sees(f'{one.account.jid} (terminal) is online, "back at the desk"')


def talk(one, other):
    """A message each way, with what XML has to escape."""
    one.types(f'/msg {other.account.jid} hello from <one> & co')
    other.sees(f"<< chat message: {one.account.jid}")
    other.types("/win 2")
    other.sees("hello from <one> & co")
    other.types(f'/msg {one.account.jid} and hello back')
    one.sees("and hello back")


def leave(one, other):
    """Who disconnects is shown as offline."""
    one.types("/win 1")
    other.types("/win 1")
    one.types("/disconnect")
    one.sees("logged out successfully")
    other.sees(f"{one.account.jid} (terminal) is offline")


def run(home):
    terminals = []
    for stem in ("ada", "bob"):
        account = Account(stem)
        terminals.append(Terminal(account, os.path.join(home, account.name)))
    for check in (log_in, subscribe, presence, talk, leave):
        name = check.__name__.replace("_", " ")
        try:
            check(*terminals)
            report.passed(name)
        except Failed as err:
            report.failed(name, err)
            if check in (log_in, subscribe):
                report.note("the checks that need this one are left out")
                return


def main():
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(1)))
    home = tempfile.mkdtemp(prefix="interop-profanity-")
    try:
        run(home)
    except (Failed, OSError, subprocess.SubprocessError) as err:
        report.failed("start", err)
    finally:
        subprocess.run(["tmux", "-L", SOCKET, "kill-server"], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)
    report.exit()


if __name__ == "__main__":
    main()
