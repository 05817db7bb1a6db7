"""Kinematics of the Franka Research 3 for whole batches: forward, Jacobian, inverse.

The geometry is the core's (csrc/kinematics, by Franka's Denavit-Hartenberg table): what is here
starts from its joint frames. The hand's tool point is 0.1034 m beyond the flange, turned by -45
degrees about its z axis ("NE_T_EE" of the Franka hand). Joint limits are those of the FR3's URDF
in libfranka 0.21.

All functions are pure, take joint angles of shape (..., 7) in radians and work on whole batches;
lengths are metres in the robot's base frame (x forward, z up). Any thread may call them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

HOME_RAD: Array = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
HOME_RAD.setflags(write=False)

LOWER_RAD: Array = np.array([-2.7501, -1.7918, -2.9065, -3.0481, -2.8101, 0.54092, -3.0196])
UPPER_RAD: Array = np.array([2.7501, 1.7918, 2.9065, -0.1458, 2.8101, 4.5205, 3.0196])
LOWER_RAD.setflags(write=False)
UPPER_RAD.setflags(write=False)

FLANGE_OFFSET_M = 0.107  # the core's kFr3Flange_m; a test holds them together
HAND_TCP_M = 0.1034
HAND_YAW_RAD = -np.pi / 4


def joint_frames(q_rad: ArrayLike) -> Array:
    """Poses of the seven joint frames in the base frame: (..., 7) -> (..., 7, 4, 4).

    Frame i turns about its own z axis by q_i; the last one also carries flange and hand.
    """
    from rt_infer import _core  # by whoever computes: a command line knows ranges only

    return _core.joint_frames(q_rad)


def flange_pose(q_rad: ArrayLike) -> Array:
    """Pose of the flange: (..., 7) -> (..., 4, 4)."""
    pose = joint_frames(q_rad)[..., 6, :, :].copy()
    pose[..., :3, 3] += FLANGE_OFFSET_M * pose[..., :3, 2]
    return pose


def tip_position_m(q_rad: ArrayLike) -> Array:
    """Position of the fingertip (the hand's tool point): (..., 7) -> (..., 3)."""
    last = joint_frames(q_rad)[..., 6, :, :]
    return last[..., :3, 3] + (FLANGE_OFFSET_M + HAND_TCP_M) * last[..., :3, 2]


def tip_jacobian(q_rad: ArrayLike) -> Array:
    """Geometric Jacobian of the fingertip: (..., 7) -> (..., 6, 7).

    Rows 0 to 2 are the tip's velocity in m/s, rows 3 to 5 the hand's angular velocity in rad/s,
    both in the base frame, per rad/s of each joint.
    """
    return _jacobian(joint_frames(q_rad))


def _jacobian(frames: Array) -> Array:
    axes = frames[..., :3, 2]
    last = frames[..., 6, :, :]
    tip = last[..., :3, 3] + (FLANGE_OFFSET_M + HAND_TCP_M) * last[..., :3, 2]
    lever = tip[..., None, :] - frames[..., :3, 3]
    linear = np.cross(axes, lever)
    return np.concatenate([np.swapaxes(linear, -1, -2), np.swapaxes(axes, -1, -2)], axis=-2)


def reach_down(
    tip_m: ArrayLike,
    *,
    posture_rad: ArrayLike = HOME_RAD,
    iterations: int = 30,
    damping: float = 0.01,
) -> Array:
    """Joint angles that put the fingertip at `tip_m` with the hand pointing straight down.

    (..., 3) -> (..., 7). Damped least squares (Nakamura and Hanafusa 1986) on five equations, the
    tip's place and the direction of the hand's axis; the two freedoms left over pull towards
    `posture_rad`, except in the last third, where the damping's leak would keep the tip off its
    place. It always starts from `posture_rad` and always does `iterations` steps, so it is a smooth
    function of the tip: markers close to each other give poses close to each other.

    Used by the expert that the shipped policy learned from. Raises ValueError when a target cannot
    be met to 1 mm inside the joint limits.
    """
    target = np.asarray(tip_m, dtype=np.float64)
    posture = np.asarray(posture_rad, dtype=np.float64)
    q = np.broadcast_to(posture, (*target.shape[:-1], 7)).copy()
    regular = damping**2 * np.eye(5)
    for i in range(iterations):
        error, rows = _down_task(q, target)
        rows_t = np.swapaxes(rows, -1, -2)
        pull = (0.5 if 3 * i < 2 * iterations else 0.0) * (posture - q)
        wanted = error - (rows @ pull[..., None])[..., 0]
        step = rows_t @ np.linalg.solve(rows @ rows_t + regular, wanted[..., None])
        q += np.clip(step[..., 0] + pull, -0.3, 0.3)
    worst_m = np.linalg.norm(tip_position_m(q) - target, axis=-1).max(initial=0.0)
    if not worst_m < 1e-3 or np.any(q < LOWER_RAD) or np.any(q > UPPER_RAD):
        raise ValueError(
            f"A target is out of the FR3's reach with the hand down (missed by {worst_m:.3f} m); "
            "choose targets in front of the robot."
        )
    return q


def _down_task(q: Array, target_m: Array) -> tuple[Array, Array]:
    """What is missing to place and direction (..., 5), and how the joints change it (..., 5, 7)."""
    frames = joint_frames(q)
    last = frames[..., 6, :, :]
    axis = last[..., :3, 2]
    tip = last[..., :3, 3] + (FLANGE_OFFSET_M + HAND_TCP_M) * axis
    jacobian = _jacobian(frames)
    # Turning the axis onto (0, 0, -1) takes the rotation vector axis x (0, 0, -1) = (-y, x, 0).
    error = np.concatenate([target_m - tip, -axis[..., 1:2], axis[..., 0:1]], axis=-1)
    return error, jacobian[..., :5, :]
