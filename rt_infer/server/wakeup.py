"""Sleeping until either the robot says something or another thread does."""

from __future__ import annotations

import os
import select
import threading


class Wakeup:
    """A connection's alarm: an eventfd beside the link's descriptor in one poll().

    The connection's thread calls `wait` and `close`; any thread calls `wake`, at any time.
    """

    def __init__(self, link_fd: int) -> None:
        self._lock = threading.Lock()
        self._eventfd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._link_fd = link_fd
        self._poll = select.poll()
        self._poll.register(link_fd, select.POLLIN)
        self._poll.register(self._eventfd, select.POLLIN)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleep until woken, until time is up, or until the link has something: only then True."""
        readable = False
        for fd, _ in self._poll.poll(None if timeout_s is None else timeout_s * 1e3):
            if fd == self._link_fd:
                readable = True  # or ended, or broken: receiving will tell
            else:
                os.eventfd_read(self._eventfd)
        return readable

    def wake(self) -> None:
        """End the present or the next `wait`."""
        with self._lock:  # close() must not give the number away in between
            if self._eventfd >= 0:
                os.eventfd_write(self._eventfd, 1)

    def close(self) -> None:
        """Give the descriptor back; waking does nothing from now on."""
        with self._lock:
            os.close(self._eventfd)
            self._eventfd = -1
