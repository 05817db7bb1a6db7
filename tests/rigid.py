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


def turn(vectors_rad: npt.ArrayLike) -> Array:
    """Rotations by axis times angle: (..., 3) -> (..., 3, 3), by the series of the exponential."""
    x, y, z = np.moveaxis(np.asarray(vectors_rad, dtype=np.float64), -1, 0)
    o = np.zeros_like(x)
    rows = [[o, -z, y], [z, o, -x], [-y, x, o]]
    cross = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2) / 64
    total = term = np.broadcast_to(np.eye(3), cross.shape)
    for n in range(1, 12):
        term = term @ cross / n
        total = total + term
    for _ in range(6):  # exp(64 a) = exp(a)^64
        total = total @ total
    return total


def turn_of_quaternion(quaternion: Sequence[float] | Array) -> Array:
    """By one (x, y, z, w): the three axes sandwiched between it and its conjugate."""
    unit = np.asarray(quaternion, dtype=np.float64) / np.linalg.norm(quaternion)
    around = unit * [-1, -1, -1, 1]
    images = [_product(_product(unit, [*axis, 0.0]), around)[:3] for axis in np.eye(3)]
    return np.array(images).T


def quaternion_of(rotations: Array) -> Array:
    """(..., 3, 3) -> (..., 4), x, y, z, w with w >= 0: an eigenvector (Bar-Itzhack 2000)."""
    r = np.asarray(rotations, dtype=np.float64)
    trace = np.trace(r, axis1=-2, axis2=-1)
    k = np.zeros((*r.shape[:-2], 4, 4))
    k[..., :3, :3] = r + np.swapaxes(r, -1, -2) - trace[..., None, None] * np.eye(3)
    k[..., 3, :3] = k[..., :3, 3] = np.stack(
        [r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1
    )
    k[..., 3, 3] = trace
    found = np.linalg.eigh(k)[1][..., -1]
    return found * np.where(found[..., 3:] < 0, -1.0, 1.0)


def vector_of(rotations: Array) -> Array:
    """(..., 3, 3) -> (..., 3): axis times angle, at most half a turn."""
    found = quaternion_of(rotations)
    sine = np.linalg.norm(found[..., :3], axis=-1, keepdims=True)
    ratio = 2 * np.arctan2(sine, found[..., 3:]) / np.where(sine > 1e-12, sine, 1.0)
    return found[..., :3] * np.where(sine > 1e-12, ratio, 2.0)


def angle_between(a: Array, b: Array) -> Array:
    """Of rotation matrices (..., 3, 3) [rad]; keeps its digits near zero."""
    return np.linalg.norm(vector_of(np.swapaxes(a, -1, -2) @ b), axis=-1)


def pose(place_m: npt.ArrayLike, rotations: Array) -> Array:
    made = np.zeros((*rotations.shape[:-2], 4, 4))
    made[..., :3, :3], made[..., :3, 3], made[..., 3, 3] = rotations, place_m, 1.0
    return made


def flange(q_rad: npt.ArrayLike) -> Array:
    """Pose of the flange in the base frame: (..., 7) -> (..., 4, 4)."""
    q = np.asarray(q_rad, dtype=np.float64)
    chain = np.eye(4)
    for j, (x, y, z, roll) in enumerate(_JOINTS):
        chain = chain @ pose([x, y, z], turn([roll, 0, 0]) @ turn(q[..., j, None] * [0, 0, 1.0]))
    return chain @ pose([0, 0, _FLANGE_M], np.eye(3))


def tcp(q_rad: npt.ArrayLike, tool: Sequence[float] = FRANKA_HAND) -> Array:
    """Pose of the TCP in the base frame: (..., 7) -> (..., 4, 4); `tool` is x, y, z, rpy."""
    x, y, z, roll, pitch, yaw = tool
    turned = turn([0, 0, yaw]) @ turn([0, pitch, 0]) @ turn([roll, 0, 0])
    return flange(q_rad) @ pose([x, y, z], turned)


def _product(a: npt.ArrayLike, b: npt.ArrayLike) -> Array:
    """Hamilton's, of (x, y, z, w)."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    vector = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.array([*vector, a[3] * b[3] - a[:3] @ b[:3]])
