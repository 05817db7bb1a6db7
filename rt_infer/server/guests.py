"""Who is here: the open connections of a server, how many of them are robots, and how many may be.

When there is no room, the connection that has been here longest without being a robot makes some:
who opens connections and says nothing must not keep health checks and robots out.

Any thread may call anything here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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
        """Hang up: the server stops, or somebody else needs the room. From any thread."""
        ...


class Guests:
    """Every connection from its first byte to its last; `most_robots` of them may be robots."""

    def __init__(self, most_robots: int, on_full: Callable[[], None] = lambda: None) -> None:
        """`on_full` is called each time one has to make room; it must not call back."""
        self._most_robots = most_robots
        self._lock = threading.Lock()
        self._on_full = on_full
        self._here: dict[Guest, None] = {}  # in the order of their coming
        self._seated: set[Guest] = set()
        self._sessions = 0  # numbers given so far
        self._closed = False

    def enter(self, guest: Guest) -> bool:
        """Start a connection's thread; False once closed. RuntimeError: no thread left."""
        with self._lock:
            if self._closed:
                return False
            if len(self._here) >= self._most_robots + HEADROOM:
                self._make_room()
            guest.thread.start()  # its `leave` waits for the lock
            self._here[guest] = None
            return True

    def _make_room(self) -> None:
        # There is one: more than `_most_robots` are here, and no more of them are robots.
        idle = next(guest for guest in self._here if guest not in self._seated)
        del self._here[idle]
        idle.end()
        self._on_full()

    def seat(self, guest: Guest) -> int:
        """The number of a robot's session, never used twice; Refusal if there are too many."""
        with self._lock:
            if guest not in self._here:
                sentence = "The server has more connections than room: connect again."
                raise Refusal(ErrorBody.of(ErrorCode.BUSY, sentence))
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
            self._here.pop(guest, None)

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
