"""What a policy failed at during a run: counted for the report, told once, asked again with pauses.

A policy that fails at one observation may well answer the next, so an error ends neither the
connection nor the run; meanwhile the arm rests. The first error of a row is told, and so is the
first answer after it. The uplink's thread calls everything here; the main thread reads `counts` and
`last` when that thread has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rt_infer.robot.pauses import pauses
from rt_infer.wire.refusals import ErrorCode, RemoteError


class PolicyErrors:
    """The errors that a server answered with, all connections of a run together."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.counts: dict[str, int] = {}  # by the code's name, as in docs/protocol.md
        self.last: str | None = None  # the newest one's sentence
        self._say = say
        self._told = ""
        self._pauses: Iterator[float] | None = None  # None: the newest question was answered

    def count(self, error: RemoteError) -> None:
        """Take note of an error; whoever calls tells it."""
        name = _name(error.code)
        self.counts[name] = self.counts.get(name, 0) + 1
        self.last = error.sentence

    def failed(self, error: RemoteError) -> float:
        """The newest question was answered with an error: s to wait before the next."""
        self.count(error)
        if error.sentence != self._told:
            self._told = error.sentence
            self._say(f"{error.sentence.rstrip('.')}; the arm rests while it is asked again.")
        if self._pauses is None:
            self._pauses = pauses()
        return next(self._pauses)

    def answered(self) -> None:
        """The newest question was answered with a chunk."""
        if self._pauses is not None:
            self._pauses = None
            self._told = ""
            self._say("The policy answers again.")

    def summary(self) -> str | None:
        """The errors of the run in one sentence; None if there were none."""
        if self.last is None:
            return None
        times = sum(self.counts.values())
        often = "once" if times == 1 else f"{times} times, the last time so"
        return f"The policy failed {often}: {self.last}"


def _name(code: int) -> str:
    try:
        return ErrorCode(code).name.lower()
    except ValueError:  # of a newer server
        return f"code_{code}"
