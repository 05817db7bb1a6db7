"""One motion told as a chunk of every kind of actions, for the benches; smooth, and within reach.

Joints swing by a tenth of a radian. The hand goes round a circle of 5 cm and rolls to and fro; at
home it looks straight down, half a turn about the base's x axis, and it only ever turns about that
axis, so that every way to write its rotation down is one angle.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rt_infer.actions.names import ENTRIES, GRIPPER, Kind
from rt_infer.robots.fr3_kinematics import HAND_TCP_M, HAND_YAW_RAD, HOME_RAD, tip_position_m

STEPS = 50
FPS = 30.0
TCP = (0.0, 0.0, HAND_TCP_M, 0.0, 0.0, HAND_YAW_RAD)

Array = npt.NDArray[np.float64]
_PHASE = np.arange(STEPS) / FPS


def names(kind: Kind) -> list[str]:
    """As a policy with a gripper has them."""
    return [*ENTRIES[kind], GRIPPER]


def actions(kind: Kind) -> npt.NDArray[np.float32]:
    """(STEPS, entries of `kind` + 1), the last one the gripper."""
    fingers = np.linspace(0.0, 1.0, STEPS)
    return np.column_stack([_values(kind), fingers]).astype(np.float32)


def hand_poses() -> Array:
    """(STEPS, 4, 4): what the pose kinds tell."""
    poses = np.tile(np.eye(4), (STEPS, 1, 1))
    places_m, roll_rad = _hand()
    poses[:, :3, 3] = places_m
    poses[:, 1, 1] = poses[:, 2, 2] = np.cos(roll_rad)
    poses[:, 2, 1] = np.sin(roll_rad)
    poses[:, 1, 2] = -poses[:, 2, 1]
    return poses


def _hand() -> tuple[Array, Array]:
    circle = [0 * _PHASE, np.sin(_PHASE), 1 - np.cos(_PHASE)]
    return tip_position_m(HOME_RAD) + 0.05 * np.stack(circle, axis=1), np.pi + 0.1 * np.sin(_PHASE)


def _values(kind: Kind) -> Array:
    offsets = 0.1 * np.sin(_PHASE[:, None] + np.zeros(7))
    places_m, roll_rad = _hand()
    nothing = np.zeros(STEPS)
    if kind is Kind.POSITION:
        return HOME_RAD + offsets
    if kind is Kind.OFFSET:
        return offsets
    if kind is Kind.DELTA:
        return np.diff(offsets, axis=0, append=offsets[-1:])
    if kind is Kind.VELOCITY:
        return np.diff(offsets, axis=0, append=offsets[-1:]) * FPS
    if kind is Kind.POSE_VECTOR:
        return np.column_stack([places_m, roll_rad, nothing, nothing])
    if kind is Kind.POSE_QUATERNION:
        half = roll_rad / 2
        return np.column_stack([places_m, np.sin(half), nothing, nothing, np.cos(half)])
    shifts_m = np.diff(places_m, axis=0, append=places_m[-1:])
    turns_rad = np.diff(roll_rad, append=roll_rad[-1:])
    return np.column_stack([shifts_m, turns_rad, nothing, nothing])
