"""A terminal for tests: real programs run in it, and the test presses its keys."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import sys
import termios
import threading


class Screen:
    """A terminal: what a program shows in it, and keys to press."""

    def __init__(self) -> None:
        self._ours, self.fd = pty.openpty()
        self.mode_before = termios.tcgetattr(self.fd)
        self._shown = bytearray()
        self._over = False
        threading.Thread(target=self._read_on, daemon=True).start()

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def shows(self, text: str) -> bool:
        """Whether a program has ever shown it."""
        return text.encode() in self._shown

    @property
    def hears_keys(self) -> bool:
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO)

    @property
    def waiting_keys(self) -> int:
        """How many have been pressed and not been read."""
        waiting = fcntl.ioctl(self.fd, termios.FIONREAD, b"\0\0\0\0")
        return int.from_bytes(waiting, sys.byteorder)

    def hang_up(self) -> None:
        """As a window is closed: at the next thing that is shown."""
        self._over = True
        self.close()

    def close(self) -> None:
        """Leave it to the programs in it."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1

    def _read_on(self) -> None:
        with contextlib.suppress(OSError):  # EIO: the last program at the other end is gone
            while not self._over and (shown := os.read(self._ours, 65536)):
                self._shown += shown
        os.close(self._ours)
