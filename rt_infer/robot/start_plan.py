"""The way to where a policy begins: slowly, straight in joint space, from rest to rest. Pure.

Ruckig (Berscheid & Kröger, RSS 2021) gives the time-optimal motion within limits of velocity,
acceleration and jerk; here they are far below the arm's own. All joints begin and end together and
keep their proportions. Sampled at the policy steps it is a row of actions like a policy's own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FULL_SPEED_AFTER_S = 0.5  # at full acceleration, which in turn comes in half that time
# Between two policy steps the arm follows a spline, which is a little faster than its samples.
_SPLINE_MARGIN = 0.97
_STEPS_TO_FULL_SPEED = 2  # at least, lest the margin be too small
_ROUNDING_RAD = 1e-6  # actions are 32-bit floats

Joints = npt.NDArray[np.float64]


class StartPlan(NamedTuple):
    """A move at policy steps, and what there is to tell about it."""

    actions: npt.NDArray[np.float32]  # (T, 7) rad: the first where the arm is, the last the target
    target_rad: Joints  # (7,) inside the range
    clamped: bool  # the target was outside of it
    distance_rad: float  # worst joint
    worst_joint: int  # 1 to 7
    duration_s: float


def plan(
    from_rad: Joints,
    target_rad: Joints,
    lowest_rad: Joints,
    highest_rad: Joints,
    *,
    speed_rad_s: float,
    step_s: float,
) -> StartPlan:
    """The move from `from_rad` to `target_rad` (7,), clamped to where targets may be.

    No joint is faster than `speed_rad_s`; `step_s` lies between two actions. ValueError: there is
    no such move.
    """
    inside = np.clip(target_rad, lowest_rad + _ROUNDING_RAD, highest_rad - _ROUNDING_RAD)
    distances = np.abs(inside - from_rad)
    waypoints, duration_s = _sample(from_rad, inside, speed_rad_s * _SPLINE_MARGIN, step_s)
    return StartPlan(
        actions=waypoints.astype(np.float32),
        target_rad=inside,
        clamped=bool((np.abs(inside - target_rad) > 1e-3).any()),
        distance_rad=float(distances.max()),
        worst_joint=int(distances.argmax()) + 1,
        duration_s=duration_s,
    )


def _sample(
    from_rad: Joints, to_rad: Joints, speed_rad_s: float, step_s: float
) -> tuple[Joints, float]:
    # A compiled library that no other run has a use for.
    import ruckig

    full_speed_after_s = max(FULL_SPEED_AFTER_S, _STEPS_TO_FULL_SPEED * step_s)
    acceleration = speed_rad_s / full_speed_after_s
    wanted = ruckig.InputParameter(len(from_rad))
    wanted.current_position = from_rad.tolist()
    wanted.target_position = to_rad.tolist()
    wanted.max_velocity = [speed_rad_s] * len(from_rad)
    wanted.max_acceleration = [acceleration] * len(from_rad)
    wanted.max_jerk = [2 * acceleration / full_speed_after_s] * len(from_rad)
    wanted.synchronization = ruckig.Synchronization.Phase
    found = ruckig.Trajectory(len(from_rad))
    result = ruckig.Ruckig(len(from_rad)).calculate(wanted, found)
    if result not in (ruckig.Result.Working, ruckig.Result.Finished):
        raise ValueError(f"no move from {from_rad} to {to_rad} was found: {result}")
    steps = math.ceil(found.duration / step_s)
    times_s = np.minimum(np.arange(steps + 1) * step_s, found.duration)
    return np.array([found.at_time(float(t))[0] for t in times_s]), float(found.duration)
