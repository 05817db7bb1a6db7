"""Which of a session's three slots is which. Pure logic: no memory, no lock, no I/O.

At any moment one slot is being received into, one may hold the newest complete observation, and one
may be leased to the worker. Three suffice: receiving never waits for the worker, and the worker
never sees a slot that is written to.

::

    receiving --complete()--> newest --lease()--> leased --release()--> free
                                \\--complete() of a newer one, drop()--> free

Calls come under the lock of the worker's desk. Only `receiving` is read without it, by the one
thread that also calls `complete`, and only `complete` changes it.
"""

from __future__ import annotations

from typing import Generic, TypeVar

SLOT_COUNT = 3

T = TypeVar("T")


class Slots(Generic[T]):
    """The states of three slots; `T` is what is known about an observation beside its bytes."""

    def __init__(self) -> None:
        self.receiving = 0
        self._newest: tuple[int, T] | None = None
        self._leased: int | None = None

    @property
    def newest(self) -> T | None:
        """The newest complete observation nobody has leased yet."""
        return None if self._newest is None else self._newest[1]

    @property
    def leased(self) -> int | None:
        """The slot the worker reads, if it reads one."""
        return self._leased

    def complete(self, observation: T) -> T | None:
        """The receiving slot now holds `observation`; returns the one it supersedes, if any."""
        superseded = self._newest
        self._newest = self.receiving, observation
        self.receiving = next(
            slot for slot in range(SLOT_COUNT) if slot not in (self._newest[0], self._leased)
        )
        return None if superseded is None else superseded[1]

    def drop(self) -> T | None:
        """Forget the newest observation, unanswered (a reset); returns it."""
        dropped, self._newest = self._newest, None
        return None if dropped is None else dropped[1]

    def lease(self) -> tuple[int, T] | None:
        """Lend the newest observation to the worker: its slot and itself; None if there is none."""
        if self._newest is None:
            return None
        if self._leased is not None:
            raise RuntimeError("A session leases one slot at a time; release the other one first.")
        leased, self._newest = self._newest, None
        self._leased = leased[0]
        return leased

    def release(self) -> None:
        """The worker is done with the slot it had."""
        self._leased = None
