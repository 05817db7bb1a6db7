"""Rotations and the FR3's forward kinematics, written a second time, to judge those of rt_infer.

The arm is built from its URDF's joints (franka_description: place and roll-pitch-yaw of each joint
in its parent), rotations from the exponential series: nothing here shares a formula with the code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FRANKA_HAND = (0.0, 0.0, 0.1034, 0.0, 0.0, -np.pi / 4)
_QUARTER = np.pi / 2
_JOINTS = (  # x, y, z [m], roll [rad]; the other two angles are 0, every joint turns about its z
    (0.0, 0.0, 0.333, 0.0),
    (0.0, 0.0, 0.0, -_QUARTER),
    (0.0, -0.316, 0.0, _QUARTER),
    (0.0825, 0.0, 0.0, _QUARTER),
    (-0.0825, 0.384, 0.0, -_QUARTER),
    (0.0, 0.0, 0.0, _QUARTER),
    (0.088, 0.0, 0.0, _QUARTER),
)
_FLANGE_M = 0.107


def turn(vector_rad: npt.ArrayLike) -> Array:
    """The rotation by axis times angle (3,), by the series of the exponential."""
    x, y, z = np.asarray(vector_rad, dtype=np.float64)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]) / 64
    total, term = np.eye(3), np.eye(3)
    for n in range(1, 16):
        term = term @ cross / n
        total = total + term
    for _ in range(6):  # exp(64 a) = exp(a)^64
        total = total @ total
    return total


def turn_of_quaternion(quaternion: Sequence[float] | Array) -> Array:
    """By (x, y, z, w): the three axes sandwiched between it and its conjugate."""
    unit = np.asarray(quaternion, dtype=np.float64) / np.linalg.norm(quaternion)
    around = unit * [-1, -1, -1, 1]
    images = [_product(_product(unit, [*axis, 0.0]), around)[:3] for axis in np.eye(3)]
    return np.array(images).T


def quaternion(vector_rad: npt.ArrayLike) -> Array:
    """Axis times angle (3,) as (x, y, z, w)."""
    vector = np.asarray(vector_rad, dtype=np.float64)
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle > 0 else vector
    return np.array([*np.sin(angle / 2) * axis, np.cos(angle / 2)])


def vector_of(rotation: Array) -> Array:
    """The rotation vector (3,) of a matrix, by its eigenvector; not for half a turn."""
    skew = np.array(
        [
            rotation[2, 1] - rotation[1, 2],
            rotation[0, 2] - rotation[2, 0],
            rotation[1, 0] - rotation[0, 1],
        ]
    )
    sine2 = float(np.linalg.norm(skew))
    if sine2 < 1e-12:
        return 0.5 * skew
    return skew / sine2 * np.arctan2(sine2, np.trace(rotation) - 1)


def angle_between(a: Array, b: Array) -> float:
    """Of two rotation matrices [rad]; keeps its digits near zero."""
    return float(np.linalg.norm(vector_of(a.T @ b)))


def pose(place_m: npt.ArrayLike, rotation: Array) -> Array:
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = rotation, place_m
    return made


def flange(q_rad: npt.ArrayLike) -> Array:
    """Pose of the flange in the base frame: (7,) -> (4, 4)."""
    chain = np.eye(4)
    for (x, y, z, roll), angle in zip(_JOINTS, np.asarray(q_rad, np.float64), strict=True):
        chain = chain @ pose([x, y, z], turn([roll, 0, 0]) @ turn([0, 0, angle]))
    return chain @ pose([0, 0, _FLANGE_M], np.eye(3))


def tcp(q_rad: npt.ArrayLike, tool: Sequence[float] = FRANKA_HAND) -> Array:
    """Pose of the TCP in the base frame: (7,) -> (4, 4); `tool` is x, y, z, roll, pitch, yaw."""
    x, y, z, roll, pitch, yaw = tool
    turned = turn([0, 0, yaw]) @ turn([0, pitch, 0]) @ turn([roll, 0, 0])
    return flange(q_rad) @ pose([x, y, z], turned)


def _product(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Hamilton's, of (x, y, z, w)."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    vector = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.array([*vector, a[3] * b[3] - a[:3] @ b[:3]])
