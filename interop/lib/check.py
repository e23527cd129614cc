"""What every Python check of `make interop` shares.

The server under test is told by the environment:

    HOST, PORT    where it listens for c2s with STARTTLS
    TLS_PORT      where it listens for c2s with direct TLS (XEP-0368); may be unset
    DOMAIN        the XMPP domain
    CA            PEM file with the certificate to trust
    ADD_ACCOUNT   a command that makes the account named by its argument, with
                  the password that it reads from standard input
    GROUP         a command that changes shared groups, as `rollcall group` does;
                  may be unset
    ADMIN         the name of an administrator's account, and
    ADMIN_PASSWORD  its password; may be unset
    COMPONENT     a domain that a component may serve, on COMPONENT_PORT and with
                  COMPONENT_SECRET; may be unset
    STRICT        1: what a server may lack is demanded

Each check makes accounts of its own, so that checks do not lean on one another.
"""

import os
import secrets
import subprocess
import sys

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "5222"))
TLS_PORT = int(os.environ.get("TLS_PORT") or 0)
DOMAIN = os.environ.get("DOMAIN", "localhost")
CA = os.environ["CA"]
ADMIN = os.environ.get("ADMIN")
GROUP = os.environ.get("GROUP")
COMPONENT = os.environ.get("COMPONENT")
COMPONENT_PORT = int(os.environ.get("COMPONENT_PORT") or 0)
COMPONENT_SECRET = os.environ.get("COMPONENT_SECRET", "")
STRICT = os.environ.get("STRICT") == "1"
TIMEOUT = float(os.environ.get("TIMEOUT", "15"))


class Failed(Exception):
    """An expectation that was not met; its text is the reason that is printed."""


class Report:
    """Prints a PASS or FAIL line for each check and remembers the failures."""

    def __init__(self, client):
        self.client = client
        self.failures = 0

    def passed(self, name):
        print(f"PASS {self.client}: {name}", flush=True)

    def failed(self, name, why):
        self.failures += 1
        why = " ".join(str(why).split())
        print(f"FAIL {self.client}: {name}: {why or 'no reason given'}", flush=True)

    def note(self, text):
        print(f"     {self.client}: {text}", flush=True)

    def exit(self):
        sys.exit(1 if self.failures else 0)


class Account:
    """An account that the server has just been given."""

    def __init__(self, stem):
        self.name = f"{stem}-{secrets.token_hex(4)}"
        self.jid = f"{self.name}@{DOMAIN}"
        self.password = secrets.token_urlsafe(12)
        made = subprocess.run(
            [os.environ["ADD_ACCOUNT"], self.name],
            input=self.password + "\n", text=True, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if made.returncode != 0:
            raise Failed(f"cannot add {self.jid}: {made.stdout.strip()}")


def group(*words):
    """Changes a shared group, as the operator does while the server runs."""
    done = subprocess.run([GROUP, *words], text=True, timeout=60, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Failed(f"group {' '.join(words)}: {done.stdout.strip()}")


class Administrator:
    """The account of the administrator, which is there already."""

    def __init__(self):
        self.name = ADMIN
        self.jid = f"{ADMIN}@{DOMAIN}"
        self.password = os.environ["ADMIN_PASSWORD"]


def expect(condition, why):
    """Fails the running check with the reason why unless condition holds."""
    if not condition:
        raise Failed(why)
