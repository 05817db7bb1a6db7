"""End-effector actions as poses of the TCP in the robot's base frame. Pure numpy; any thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rt_infer.actions import rotations
from rt_infer.actions.names import Kind

Array = npt.NDArray[np.float64]


def tcp_poses(kind: Kind, values: Array, start: Array) -> Array:
    """The poses of one chunk: (T, 6 or 7) values of `kind` -> (T, 4, 4) or (T + 1, 4, 4).

    Pose i belongs to the policy step of the observation + i. `start` (4, 4) is where the TCP was
    told to be at the observation: T changes lead from there through T + 1 poses (joints.py says
    why). NoRotation: a quaternion has no length.
    """
    if kind is Kind.POSE_DELTA:
        return _composed(start, values[:, :3], rotations.of_vectors(values[:, 3:]))
    turn = rotations.of_vectors if kind is Kind.POSE_VECTOR else rotations.of_quaternions
    return _assembled(values[:, :3], turn(values[:, 3:]))


def _composed(start: Array, shifts_m: Array, turns: Array) -> Array:
    """Translations add up in the base frame, turns in the tool's: multiplied from the right.

    (LeRobot's EEReferenceAndDelta composes them so.)
    """
    turned = [start[:3, :3]]
    for turn in turns:
        turned.append(turned[-1] @ turn)
    places = np.concatenate([np.zeros((1, 3)), np.cumsum(shifts_m, axis=0)]) + start[:3, 3]
    return _assembled(places, np.stack(turned))


def _assembled(places_m: Array, turned: Array) -> Array:
    poses = np.zeros((len(places_m), 4, 4))
    poses[:, :3, :3] = turned
    poses[:, :3, 3] = places_m
    poses[:, 3, 3] = 1.0
    return poses
