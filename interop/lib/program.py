"""A program at a terminal of its own, which keeps what it says, so that checks can wait for it."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import termios

from check import TIMEOUT, Failed


class Program:
    """A program that runs here, at a terminal that shows nothing of what is typed."""

    def __init__(self, label):
        self.label = label
        self.said = ""  # all of it, also of those that ran under this label before
        self.process = None
        self._terminal = None
        self._news = asyncio.Event()

    def run(self, *command, cwd=None, **env):
        """Starts it; env is what its environment has besides ours."""
        self._terminal, other = pty.openpty()
        attributes = termios.tcgetattr(other)
        attributes[1] &= ~termios.OPOST
        attributes[3] &= ~(termios.ECHO | termios.ICANON)
        termios.tcsetattr(other, termios.TCSANOW, attributes)
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, cwd=cwd,
                                        env=dict(os.environ, TERM="dumb", **env), start_new_session=True)
        os.close(other)
        asyncio.get_running_loop().add_reader(self._terminal, self._read)

    def _read(self):
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # nobody is at the other end any more
            data = b""
        if data:
            self.said += data.decode(errors="replace")
        else:
            self._leave()
        self._news.set()

    def _leave(self):
        if self._terminal is not None:
            asyncio.get_running_loop().remove_reader(self._terminal)
            os.close(self._terminal)
            self._terminal = None

    def type(self, line):
        """Types a line."""
        os.write(self._terminal, line.encode() + b"\n")

    def mark(self):
        """Where it is now in what it says, for says."""
        return len(self.said)

    async def until(self, what, find, seconds=TIMEOUT):
        """Waits until find returns something, and returns that."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            self._news.clear()
            found = find()
            if found is not None:
                return found
            if self._terminal is None:
                raise Failed(f"{self.label} ended before {what}; it said last: {self.said[-300:]!r}")
            try:
                await asyncio.wait_for(self._news.wait(), max(0, deadline - asyncio.get_running_loop().time()))
            except asyncio.TimeoutError:
                raise Failed(f"{self.label} was waited for in vain: {what}; it said last: {self.said[-300:]!r}") from None

    async def says(self, pattern, since=0, seconds=TIMEOUT):
        """Waits until it has said something, after the mark since, that a pattern matches."""
        expression = re.compile(pattern)
        return await self.until(repr(pattern), lambda: expression.search(self.said, since), seconds)

    async def ends(self, seconds=TIMEOUT):
        """Waits until it has ended by itself, and returns its exit status."""
        def ended():
            return True if self._terminal is None else None
        await self.until("its end", ended, seconds) if self._terminal is not None else None
        return await asyncio.get_running_loop().run_in_executor(None, self.process.wait, seconds)

    async def stop(self, how=signal.SIGTERM):
        """Ends it, if it runs; what does not go when it is told to is ended."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                await asyncio.get_running_loop().run_in_executor(None, self.process.wait, 10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._leave()
        self.process = None

    async def kill(self):
        """Ends it at once, as a power cut does."""
        await self.stop(signal.SIGKILL)
