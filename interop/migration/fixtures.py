"""Makes the files that the tests of internal/portable read, with the servers of this machine.

    PYTHONPATH=interop/lib:interop/migration CA= python3 interop/migration/fixtures.py

They are about people who do not exist.
"""

import asyncio
import logging
import os
import shutil
import tempfile

logging.disable()

import people
from ejabberd import Ejabberd
from prosody import Prosody

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = os.path.join(HERE, "..", "..", "internal", "portable", "testdata")


def put(files, name):
    """Puts files in place of those that are there."""
    target = os.path.join(TARGET, name)
    shutil.rmtree(target, ignore_errors=True)
    os.makedirs(target)
    for file in files:
        shutil.copyfile(file, os.path.join(target, os.path.basename(file)))


def listed(where):
    return sorted(os.path.join(where, f) for f in os.listdir(where))


def prosody(loop, work):
    server = Prosody(os.path.join(work, "prosody"), "old.example", plugins=os.path.join(HERE, "..", "..", "contrib", "prosody"))
    server.start()
    try:
        for name, password in people.PASSWORDS.items():
            server.add(name, password)
        loop.run_until_complete(people.live(server))
    finally:
        server.stop()
    files = os.path.join(work, "files")
    server.migrate("internal", "xep0227", files)
    rest = os.path.join(files, "rest.xml")
    server.export_rest(rest)
    put(listed(files), "prosody-0.12")


def ejabberd(loop, work, name, **how):
    server = Ejabberd(os.path.join(work, name), "old.example", **how)
    server.start(people.PASSWORDS)
    try:
        loop.run_until_complete(people.live(server))
    finally:
        server.stop()
    files = os.path.join(work, name, "files")
    server.export(files)
    put(listed(files), name)


if __name__ == "__main__":
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as work:
        prosody(loop, work)
        ejabberd(loop, work, "ejabberd-23.01")
        ejabberd(loop, work, "ejabberd-23.01-plain", passwords="plain")
