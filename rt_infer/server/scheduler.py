"""Which robot a free worker serves next. Pure logic: no clock, no lock, no I/O.

A robot says with each observation how long its queued actions last: its slack. Counted from the
observation's arrival that gives the moment at which it runs dry, its deadline, on the server's own
clock. The robot with the earliest deadline is next; of equal ones, the one whose last turn lies
furthest back, and of those that never had one, the one that has waited longest.

No robot starves. A slack counts between zero and `MAX_SLACK_S`, so nobody can claim to be more
urgent than "now", and whoever waits overtakes every later claim of "now" once its own deadline has
come. A newer observation never moves its robot's deadline back for the same reason.

Calls come under the lock of the worker's desk (`rt_infer.server.desk`), from any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_SLACK_S = 10.0
"""No robot waits longer than this behind later arrivals, however much slack it claims."""


@dataclass
class _Waiting:
    deadline_ns: int
    arrival_ns: int


class Scheduler:
    """Earliest deadline first over the robots that have an unserved observation."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}
        self._last_turn: dict[int, int] = {}
        self._turns = 0

    def __len__(self) -> int:
        """How many robots wait."""
        return len(self._waiting)

    def offer(self, session: int, *, arrival_ns: int, slack_s: float) -> None:
        """`session` has a new observation, arrived at `arrival_ns` on any one monotonic clock.

        It replaces the session's unserved one, if there is one. A slack that is no number counts
        as none at all: such a robot is served as if it had run dry.
        """
        slack_s = min(max(slack_s, 0.0), MAX_SLACK_S) if slack_s == slack_s else 0.0
        deadline_ns = arrival_ns + round(slack_s * 1e9)
        before = self._waiting.get(session)
        if before is not None:
            deadline_ns = min(deadline_ns, before.deadline_ns)
            arrival_ns = before.arrival_ns
        self._waiting[session] = _Waiting(deadline_ns, arrival_ns)

    def take(self) -> int | None:
        """The session whose turn it is, which no longer waits then; None when none does."""
        if not self._waiting:
            return None
        session = min(self._waiting, key=self._rank)
        del self._waiting[session]
        self._turns += 1
        self._last_turn[session] = self._turns
        return session

    def withdraw(self, session: int) -> None:
        """Forget the session's unserved observation (a reset); nothing happens if it has none."""
        self._waiting.pop(session, None)

    def forget(self, session: int) -> None:
        """The session is over: forget all about it."""
        self.withdraw(session)
        self._last_turn.pop(session, None)

    def _rank(self, session: int) -> tuple[int, int, int]:
        waiting = self._waiting[session]
        return waiting.deadline_ns, self._last_turn.get(session, 0), waiting.arrival_ns
