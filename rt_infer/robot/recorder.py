"""Drains the core's telemetry: keeps the score, times the chunks, keeps the motion for the plot.

Called by the main thread, a few times a second. The core never waits for it; what was overwritten
before it was read is counted as lost, and no statistic of the report depends on it.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from rt_infer.robot.recording import RecordingTelemetry
from rt_infer.robot.region import Telemetry
from rt_infer.robot.timings import Timings
from rt_infer.robots.registry import Task

SPLICED = 1  # RTI_CYCLE_SPLICED
SCORE_EVERY_CYCLES = 20
KEEP_CYCLES = 300_000  # the plot shows the last five minutes


class Recorder:
    """One run's telemetry, as it comes."""

    def __init__(
        self,
        telemetry: Telemetry | RecordingTelemetry,
        timings: Timings,
        task: Task | None,
        *,
        keep: bool,
    ) -> None:
        self._telemetry = telemetry
        self._timings = timings
        self._task = task
        self._keep = keep
        self._kept: deque[npt.NDArray[np.void]] = deque()
        self._kept_cycles = 0
        self._scored_s = 0.0  # the time of the newest record the task has heard of, and
        self._paused_s = 0.0  # how much of the time until then it has not: pauses

    def drain(self, *, paused: bool = False) -> None:
        """Take what the core has written since the last call; in a pause the task's time stands."""
        records = self._telemetry.read()
        if not len(records):
            return
        for record in records[(records["flags"] & SPLICED) != 0]:
            self._timings.followed(int(record["chunk_id"]), int(record["time_ns"]))
        if self._task is not None:
            # A policy that still loads misses nothing: time counts from the first chunk followed.
            begun = records["chunk_id"] != 0
            for record in records[begun & (records["cycle"] % SCORE_EVERY_CYCLES == 0)]:
                time_s = int(record["time_ns"]) / 1e9
                if paused and self._scored_s:
                    self._paused_s += time_s - self._scored_s
                self._scored_s = time_s
                self._task.update(record["q"], time_s - self._paused_s)
        if self._keep:
            self._kept.append(records)
            self._kept_cycles += len(records)
            while self._kept_cycles - len(self._kept[0]) >= KEEP_CYCLES:
                self._kept_cycles -= len(self._kept.popleft())

    @property
    def lost(self) -> int:
        """Cycles that were overwritten before they were read."""
        return self._telemetry.lost

    def records(self) -> npt.NDArray[np.void] | None:
        """Everything kept, oldest first; None if nothing was to be kept or nothing came."""
        return np.concatenate(list(self._kept)) if self._kept else None
