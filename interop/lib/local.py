"""What programs on the loopback need: ports, and to be waited for."""

import random
import socket
import time

from check import Failed


_given = set()


def free_port(udp=False, row=1):
    """A port of the loopback that nobody listens on, with the next ones if there is to be a row of them.

    They are below those that systems take for connections (RFC 6335 §6), and not
    given twice. With udp nobody listens for UDP either.
    """
    while True:
        ports = range(first := random.randrange(20000, 32000), first + row)
        if _given.isdisjoint(ports) and all(_free(p, socket.SOCK_STREAM) and (not udp or _free(p, socket.SOCK_DGRAM)) for p in ports):
            _given.update(ports)
            return first


def _free(port, kind):
    with socket.socket(type=kind) as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_until(what, true, process=None, seconds=30):
    """Waits until true() is, while the process lives."""
    end = time.monotonic() + seconds
    while not true():
        if process is not None and process.poll() is not None:
            raise Failed(f"{what}: the program ended with status {process.returncode}")
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)


def accepts(port):
    """Whether somebody listens on a port of the loopback."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0
