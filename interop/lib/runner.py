"""Runs checks in a house that is made for them."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile

from slixmpp.exceptions import XMPPError

from check import Failed
from house import House


def run(report, checks, more="", prepare=None, close=None):
    """Runs the checks, or those that the command line names, in a house that is told more of its
    configuration in TOML, prepared, and closed; then exits.

    Checks take the house. What they have started as its guests ends with them. The environment
    variable KEEP names a directory that all files are copied to in the end.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as work:
        all_of_it = loop.create_task(_all(report, checks, more, prepare, close, work))
        for sign in (signal.SIGINT, signal.SIGTERM):  # whatever was started is in sessions of its own, and has to be ended
            loop.add_signal_handler(sign, all_of_it.cancel)
        try:
            loop.run_until_complete(all_of_it)
        except asyncio.CancelledError:
            sys.exit(130)
    report.exit()


async def _all(report, checks, more, prepare, close, work):
    house = House(work, more)
    try:
        house.start()
        if prepare:
            await prepare(house)
        for check in checks:
            if not sys.argv[1:] or check.__name__ in sys.argv[1:]:
                await _one(report, check, house)
    finally:
        house.stop()
        if close:
            await close()
        if "KEEP" in os.environ:
            shutil.copytree(work, os.environ["KEEP"], dirs_exist_ok=True, ignore=shutil.ignore_patterns("control*", "*.sock"))
    errors = house.errors()
    report.passed("no errors in the log") if not errors else report.failed("no errors in the log", errors[0])


async def _one(report, check, house):
    name = check.__name__.replace("_", " ")
    try:
        await asyncio.wait_for(check(house), 120)
        report.passed(name)
    except (Failed, XMPPError, asyncio.TimeoutError, OSError) as err:
        report.failed(name, err if str(err) else repr(err))
    except Exception as err:  # a surprise is a failure with its name
        report.failed(name, repr(err))
    finally:
        await house.clear()
        if house.process is None:  # the check broke off after it had killed it
            house.start()
