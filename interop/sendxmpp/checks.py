"""Checks with go-sendxmpp: it sends, slixmpp receives."""

import asyncio
import logging
import os
import subprocess
import sys

logging.disable()  # slixmpp logs what a check expects, and its lack of libidn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "slixmpp"))

from check import CA, HOST, PORT, TLS_PORT, Account, Failed, Report, expect
from client import Client

report = Report("go-sendxmpp")


def send(sender, to, text, direct_tls=False):
    """Runs go-sendxmpp; the certificate is verified against CA."""
    port = TLS_PORT if direct_tls else PORT
    command = ["go-sendxmpp", "--username", sender.jid, "--password", sender.password,
               "--jserver", f"{HOST}:{port}", "--timeout", "15"]
    if direct_tls:
        command.append("--tls")
    done = subprocess.run(command + [to.jid], input=text, text=True, timeout=60, check=False,
                          env={**os.environ, "SSL_CERT_FILE": CA}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise Failed(f"go-sendxmpp ended with {done.returncode}: {done.stdout.strip()}")


async def send_to_an_open_client():
    """One message over STARTTLS to a slixmpp that is online."""
    sender, account = Account("bot"), Account("ada")
    receiver = await Client(account, "desk").login()
    await asyncio.to_thread(send, sender, account, "the build is <green> & done")
    got = await receiver.gets_message("the build is <green> & done")
    expect(got["from"].bare == sender.jid, f"from {got['from']}")
    await receiver.close()


async def send_by_direct_tls():
    """The same over direct TLS."""
    sender, account = Account("bot"), Account("ada")
    receiver = await Client(account, "desk").login()
    await asyncio.to_thread(send, sender, account, "by direct TLS", True)
    await receiver.gets_message("by direct TLS")
    await receiver.close()


async def send_to_nobody_yet():
    """A message to who is away is there at login."""
    sender, account = Account("bot"), Account("ada")
    await asyncio.to_thread(send, sender, account, "while you were out")
    receiver = await Client(account, "desk").login()
    await receiver.gets_message("while you were out")
    await receiver.close()


async def refuse_a_wrong_password():
    """A wrong password is an error for it."""
    sender, account = Account("bot"), Account("ada")
    sender.password += "x"
    try:
        await asyncio.to_thread(send, sender, account, "never")
    except Failed:
        return
    raise Failed("go-sendxmpp was let in with a wrong password")


async def main():
    for check in (send_to_an_open_client, send_by_direct_tls, send_to_nobody_yet, refuse_a_wrong_password):
        if check is send_by_direct_tls and not TLS_PORT:
            continue
        name = check.__name__.replace("_", " ")
        try:
            await asyncio.wait_for(check(), 90)
            report.passed(name)
        except (Failed, OSError, asyncio.TimeoutError, subprocess.SubprocessError) as err:
            report.failed(name, err if str(err) else repr(err))


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(main())
    report.exit()
