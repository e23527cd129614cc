"""Runs checks in a house that is made for them."""

import asyncio
import os
import sys
import tempfile

from slixmpp.exceptions import XMPPError

from check import Failed
from house import House


def run(report, checks, more="", prepare=None):
    """Runs the checks, or those that the command line names, in a house that is told more of its
    configuration in TOML, and prepared; then exits.

    Checks take the house. What they have started as its guests ends with them.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with tempfile.TemporaryDirectory() as work:
        loop.run_until_complete(_all(report, checks, more, prepare, work))
    report.exit()


async def _all(report, checks, more, prepare, work):
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
        if "KEEP" in os.environ:
            os.system(f"cp -r {work} {os.environ['KEEP']}")
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
        if house.process is None:  # a check that kills it broke off
            house.start()
