"""A simulated gripper with the stroke and speed of the Franka Hand; it needs no arm and no thread.

Fingers move at constant speed from where they are to where they should be; where they are is
computed from CLOCK_MONOTONIC when somebody asks. They meet nothing, so they never hold anything.

Franka Hand: 80 mm between the fingers, 50 mm/s each (Franka Robotics, Hand product manual).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from rt_infer.flag_tree import flag
from rt_infer.grippers.base import GripperConfig, Reading


@GripperConfig.register_subclass("sim")
@dataclass(kw_only=True)
class SimGripperConfig(GripperConfig):
    """`{type: sim}`"""

    stroke_m: float = flag("between the fingers when they are open, m", default=0.08)
    speed_m_s: float = flag("of the two fingers against each other, m/s", default=0.1)
    start: float = flag("where it begins, 0 closed to 1 open", default=1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (0.001 <= self.stroke_m <= 1.0 and 0.001 <= self.speed_m_s <= 10.0):
            raise ValueError(
                "A simulated gripper's stroke_m is 0.001 to 1 m and its speed_m_s 0.001 to 10 m/s."
            )
        if not 0.0 <= self.start <= 1.0:
            raise ValueError(f"A gripper starts between 0 and 1, not at {self.start:g}.")

    def build(self) -> SimGripper:
        return SimGripper(self)


class SimGripper:
    """A `Gripper` without a device."""

    period_s = 0.02

    def __init__(
        self, config: SimGripperConfig, now_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._now_ns = now_ns
        self._rate = config.speed_m_s / config.stroke_m  # strokes a second
        self._from = self._to = config.start
        self._since_ns = now_ns()

    def open(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        pass

    def command(self, position: float) -> None:
        self._from, self._to, self._since_ns = self.read().position, position, self._now_ns()

    def read(self) -> Reading:
        way = self._rate * (self._now_ns() - self._since_ns) / 1e9
        gap = self._to - self._from
        position = self._to if abs(gap) <= way else self._from + (way if gap > 0 else -way)
        return Reading(position, holding=False)

    def close(self) -> None:
        pass
