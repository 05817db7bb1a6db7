"""Where a gripper was at a time, from what it told now and then.

One thread appends, another asks. Between two samples the position is interpolated; after the last
it is the last, for `STALE_NS`: fingers are slow, and the device may be reading right now.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque

STALE_NS = 250_000_000
_KEEP = 512  # samples: ten seconds at 50 Hz


class PositionTrace:
    """The last positions of one gripper, with their times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held for a look-up
        self._samples: deque[tuple[int, float]] = deque(maxlen=_KEEP)

    def add(self, time_ns: int, position: float) -> None:
        """It was at `position` at `time_ns`, CLOCK_MONOTONIC; times must rise."""
        with self._lock:
            self._samples.append((time_ns, position))

    def at(self, time_ns: int) -> float | None:
        """Where it was at `time_ns`; None if that is not known (any more, or yet)."""
        with self._lock:
            after = bisect_right(self._samples, time_ns, key=lambda sample: sample[0])
            if after == 0:
                return None
            before_ns, before = self._samples[after - 1]
            if after == len(self._samples):
                return before if time_ns - before_ns <= STALE_NS else None
            next_ns, next_ = self._samples[after]
        return before + (next_ - before) * (time_ns - before_ns) / (next_ns - before_ns)
