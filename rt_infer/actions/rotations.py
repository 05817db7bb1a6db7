"""Rotation matrices from what policies answer with: rotation vectors, quaternions, angles.

Pure numpy on whole batches; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

SHORTEST_QUATERNION = 1e-3
"""Shorter ones say nothing: a network that answers with zeros must not turn a hand."""


class NoRotation(ValueError):
    """A quaternion of no length."""


def of_vectors(vectors_rad: npt.ArrayLike) -> Array:
    """Axis times angle (..., 3) to matrices (..., 3, 3).

    Rodrigues' formula, written with sinc so that it keeps its digits where the axis is lost:
    R = 1 + sin(a)/a K + (1 - cos(a))/a² K², K the cross product with the vector, a its length.
    """
    vectors = np.asarray(vectors_rad, dtype=np.float64)
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    cross = np.zeros((*vectors.shape, 3))
    cross[..., 2, 1], cross[..., 0, 2], cross[..., 1, 0] = np.moveaxis(vectors, -1, 0)
    cross -= np.swapaxes(cross, -1, -2)
    once = np.sinc(angle / np.pi)
    twice = 0.5 * np.sinc(angle / (2 * np.pi)) ** 2
    rotations: Array = np.eye(3) + once * cross + twice * (cross @ cross)
    return rotations


def of_quaternions(quaternions: npt.ArrayLike) -> Array:
    """(x, y, z, w), scalar last (..., 4), of any length but none, to matrices (..., 3, 3).

    q and -q are the same rotation and give the same matrix. NoRotation where one has no length.
    """
    q = np.asarray(quaternions, dtype=np.float64)
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    if np.any(length < SHORTEST_QUATERNION):
        raise NoRotation(f"A quaternion of length {length.min():g} is no rotation.")
    x, y, z, w = np.moveaxis(q / length, -1, 0)
    rows = (
        (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    )
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def transform(xyz_rpy: Sequence[float] | Array) -> Array:
    """A pose [x, y, z, roll, pitch, yaw], m and rad, as a matrix (4, 4).

    Roll, pitch and yaw turn about fixed axes, x first, as in a URDF: Rz(yaw) Ry(pitch) Rx(roll).
    """
    x, y, z, roll, pitch, yaw = xyz_rpy
    about_x, about_y, about_z = of_vectors(np.diag([roll, pitch, yaw]))
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y @ about_x
    matrix[:3, 3] = x, y, z
    return matrix
