"""What an FR3 allows its joints to do, and how much of it a recorded motion used. numpy only.

Limits: the FR3's URDF and the nominal rates of libfranka 0.21 (rate_limiting.h), which are the ones
the arm stops at. Velocity limits depend on the position (joint_velocity_limits.cpp): near its end a
joint may only go as fast as it can still brake.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rt_infer.robots.fr3_kinematics import LOWER_RAD, UPPER_RAD

Array = NDArray[np.float64]

CYCLE_S = 0.001
_MARGIN = 1e-3
VELOCITY_RAD_S: Array = np.array([2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26])
VELOCITY_OFFSET_RAD_S: Array = np.array([0.30, 0.20, 0.20, 0.30, 0.35, 0.35, 0.35])
BRAKING_RAD_S2: Array = np.array([6.0, 2.585, 3.50, 4.00, 17.0, 5.5, 17.0])
ACCELERATION_RAD_S2 = 10.0
JERK_RAD_S3 = 5000.0


class Ratios(NamedTuple):
    """Value over limit, (N, 7) each; NaN where cycles are missing in between."""

    velocity: Array
    acceleration: Array
    jerk: Array


def velocity_limits_rad_s(q_rad: Array) -> tuple[Array, Array]:
    """Least and greatest velocity at `q_rad` (..., 7), as joint_velocity_limits.cpp has them."""
    to_upper = np.sqrt(np.maximum(2 * BRAKING_RAD_S2 * (UPPER_RAD - q_rad), 0.0))
    to_lower = np.sqrt(np.maximum(2 * BRAKING_RAD_S2 * (q_rad - LOWER_RAD), 0.0))
    greatest = np.clip(to_upper - VELOCITY_OFFSET_RAD_S, 0.0, VELOCITY_RAD_S) - _MARGIN
    least = -np.clip(to_lower - VELOCITY_OFFSET_RAD_S, 0.0, VELOCITY_RAD_S) + _MARGIN
    return least, greatest


def ratios(q_command_rad: Array, cycles: NDArray[np.uint64]) -> Ratios:
    """How much of the limits a path (N, 7) used, by backward Euler as the arm computes it.

    `cycles` (N,) are the arm's counts; a value that would reach over a missing one is NaN. Before
    the path the arm was at rest.
    """
    velocity, whole = _rate(q_command_rad, _follows(cycles))
    velocity[:1] = 0.0
    acceleration, whole = _rate(velocity, whole)
    acceleration[:1] = 0.0
    jerk, _ = _rate(acceleration, whole)
    jerk[:1] = 0.0
    # The limit is read where the cycle begins.
    before = np.concatenate([q_command_rad[:1], q_command_rad[:-1]])
    least, greatest = velocity_limits_rad_s(before)
    room = np.maximum(np.where(velocity >= 0, greatest, -least), _MARGIN)
    return Ratios(
        np.abs(velocity) / room,
        np.abs(acceleration) / ACCELERATION_RAD_S2,
        np.abs(jerk) / JERK_RAD_S3,
    )


def _follows(cycles: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each cycle comes right after the one before it in the array."""
    steps = np.diff(cycles.astype(np.int64), prepend=cycles[:1].astype(np.int64))
    return np.asarray(steps == 1)


def _rate(values: Array, whole: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Change a second, NaN where it is unknown; and where the next derivative will be known."""
    rate = np.diff(values, axis=0, prepend=values[:1]) / CYCLE_S
    rate[~whole] = np.nan
    later = whole.copy()
    later[1:] &= whole[:-1]
    later[1:2] = whole[1:2]
    return rate, later
