"""The statistics of a run, as plain Python values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import rt_infer._core as _core

__all__ = ["Histogram", "Reflex", "RunStatistics"]


@dataclass(frozen=True)
class Histogram:
    """Durations in buckets about 3 % wide; ``max`` and ``mean`` are exact."""

    count: int
    max_ns: int
    sum_ns: int
    buckets: npt.NDArray[np.uint64]

    def percentile_us(self, percent: float) -> float:
        """The duration that ``percent`` of all do not exceed, in µs within 3 %; 0: no values."""
        return float(_core.histogram_percentile_ns(self.buckets, self.max_ns, percent)) / 1e3

    @property
    def max_us(self) -> float:
        return self.max_ns / 1e3

    @property
    def mean_us(self) -> float:
        return self.sum_ns / self.count / 1e3 if self.count else 0.0


@dataclass(frozen=True)
class Reflex:
    """The arm stopped by itself."""

    name: str  # FCI's own, as libfranka prints it
    cycle: int  # the arm's count


@dataclass(frozen=True)
class RunStatistics:
    """``rti_stats`` of csrc/include/rt_infer.h, which says what each field means."""

    cycles: int
    late_cycles: int
    minor_faults: int
    major_faults: int
    holds: int
    held_ns: int
    chunks_received: int
    refused: dict[str, int]  # by reason: "epoch", "age", …; all reasons, zeros too
    late_steps: int
    splices: int
    bridges_lengthened: int
    splices_delayed: int
    waypoints_clamped: int
    reseeds: int
    limiter_interventions: int
    slowed_ns: int
    fence_stops: int
    followed_cycles: int
    steps_executed: float
    splice_jump_max_rad: float
    policy_distance_squared_sum: float
    jerk_squared_sum: float
    lost_to_slowing_s: float
    velocity_ratio_max: float
    acceleration_ratio_max: float
    jerk_ratio_max: float
    scheduling_policy: str  # "fifo", "other"
    scheduling_priority: int
    cpu: int | None  # the one CPU that the loop was bound to
    memory_locked: bool
    outcome: str | None  # "finished", "fault"; None: still running, or cut off
    reflexes: tuple[Reflex, ...]
    period: Histogram
    wake_late: Histogram
    response: Histogram
    step: Histogram
    splice: Histogram

    @classmethod
    def from_core(cls, values: dict[str, Any]) -> RunStatistics:
        """From what the native region tells."""
        for name in ("period", "wake_late", "response", "step", "splice"):
            values[name] = Histogram(**values[name])
        values["reflexes"] = tuple(Reflex(*reflex) for reflex in values["reflexes"])
        return cls(**values)
