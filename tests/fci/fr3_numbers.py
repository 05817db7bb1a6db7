"""The FR3's limits, written down once more: what the corpus is built around.

From libfranka's test/fr3.urdf, rate_limiting.h and joint_velocity_limits.cpp. Neither judge reads
them; if a number here were wrong, streams would not be what their names say and the verdicts that
the construction foretells would not come.
"""

from __future__ import annotations

import numpy as np
from command_stream import Array

DT_S = 0.001
Q_MIN = np.array([-2.7501, -1.7918, -2.9065, -3.0481, -2.8101, 0.54092, -3.0196])  # rad
Q_MAX = np.array([2.7501, 1.7918, 2.9065, -0.1458, 2.8101, 4.5205, 3.0196])  # rad
CENTRE = (Q_MIN + Q_MAX) / 2
DQ_MAX = np.array([2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26])  # rad/s
ENVELOPE_OFFSET = np.array([0.30, 0.20, 0.20, 0.30, 0.35, 0.35, 0.35])  # rad/s
ENVELOPE_DECEL = np.array([6.0, 2.585, 3.50, 4.00, 17.0, 5.5, 17.0])  # rad/s²
VELOCITY_MARGIN = 1e-3  # rad/s, which the arm keeps below dq_max and the envelope
DDQ_MAX = 10.0  # rad/s²
DDDQ_MAX = 5000.0  # rad/s³
LOST_MAX = 20  # cycles in a row
START_TOLERANCE = 0.1  # rad


def end_of_range(joint: int, side: int) -> float:
    """The limit that a joint reaches when it moves in the direction ``side`` (1 or -1) [rad]."""
    return float(Q_MAX[joint] if side > 0 else Q_MIN[joint])


def fastest_towards_end(joint: int, room_rad: float) -> float:
    """The position-dependent velocity limit, ``room_rad`` before the end of the range [rad/s]."""
    braking = np.sqrt(2.0 * ENVELOPE_DECEL[joint] * max(room_rad, 0.0))
    return max(
        0.0, min(DQ_MAX[joint], max(0.0, braking - ENVELOPE_OFFSET[joint])) - VELOCITY_MARGIN
    )


def room_for(joint: int, speed: float) -> float:
    """Where, before the end of the range, the envelope just admits a speed [rad]."""
    braking = speed + VELOCITY_MARGIN + ENVELOPE_OFFSET[joint]
    return float(braking**2 / (2.0 * ENVELOPE_DECEL[joint]))


def at_centre_but(joint: int, q_rad: float) -> Array:
    """A pose far from every limit, but for one joint (7,)."""
    pose = CENTRE.copy()
    pose[joint] = q_rad
    return pose
