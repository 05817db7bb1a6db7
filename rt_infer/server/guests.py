"""Who is here: the open connections of a server, how many of them are robots, and how many may be.

Any thread may call anything here.
"""

from __future__ import annotations

import threading
from typing import Protocol

from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal

HEADROOM = 16
"""Connections beyond the robots, for health checks and for telling robots to come later."""


class Guest(Protocol):
    """A connection, as far as its coming and going is concerned."""

    @property
    def thread(self) -> threading.Thread:
        """Serves it from beginning to end, and says `leave` last."""
        ...

    def end(self) -> None:
        """The server stops: from any thread."""
        ...


class Guests:
    """Every connection from its first byte to its last; `most_robots` of them may be robots."""

    def __init__(self, most_robots: int) -> None:
        self._most_robots = most_robots
        self._lock = threading.Lock()
        self._here: set[Guest] = set()
        self._seated: set[Guest] = set()
        self._sessions = 0  # numbers given so far
        self._closed = False

    def enter(self, guest: Guest) -> bool:
        """Start a connection's thread; False if there is no room. RuntimeError: no thread left."""
        with self._lock:
            if self._closed or len(self._here) >= self._most_robots + HEADROOM:
                return False
            guest.thread.start()  # its `leave` waits for the lock
            self._here.add(guest)
            return True

    def seat(self, guest: Guest) -> int:
        """The number of a robot's session, never used twice; Refusal if there are too many."""
        with self._lock:
            if len(self._seated) >= self._most_robots:
                sentence = (
                    f"The server has {self._most_robots} robots and takes no more: wait until one "
                    "leaves."
                )
                raise Refusal(ErrorBody.of(ErrorCode.BUSY, sentence))
            self._seated.add(guest)
            self._sessions += 1
            return self._sessions

    def leave(self, guest: Guest) -> None:
        """A connection is over."""
        with self._lock:
            self._seated.discard(guest)
            self._here.discard(guest)

    def close(self) -> list[Guest]:
        """Let nobody in any more; who is here."""
        with self._lock:
            self._closed = True
            return list(self._here)

    def robots(self) -> int:
        """How many robots have a session or wait for one."""
        with self._lock:
            return len(self._seated)

    def connections(self) -> int:
        """How many connections are open, of any kind."""
        with self._lock:
            return len(self._here)
