"""The teacher of the reach policy: a state feedback that knows where the marker is.

From any joint angles q the expert moves straight (in joint space) towards the pose that touches the
marker, at `MAX_SPEED_RAD_S` while far and slower and slower when near::

    q' = (goal - q) / sqrt(APPROACH_S^2 + (|goal - q| / MAX_SPEED_RAD_S)^2)

Being a feedback and not a plan in time, it says the same thing about the same place: a chunk begun
half a second later continues the one before it. It ignores the arm's present velocity; starting
from rest smoothly is the runtime's work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rt_infer.robots.fr3_kinematics import Array, reach_down

MAX_SPEED_RAD_S = 1.0
"""Euclidean norm of the joint velocity, so no joint is faster."""

APPROACH_S = 0.2
"""Time constant of the last stretch; the greatest deceleration is 0.39 * speed / time constant."""

CHUNK_STEPS = 50
FPS = 30.0


def goal_rad(marker_m: ArrayLike) -> Array:
    """Joint angles that touch the marker with the hand pointing down: (..., 3) -> (..., 7)."""
    return reach_down(marker_m)


def chunk_rad(q_rad: ArrayLike, goal_rad: ArrayLike, steps: int = CHUNK_STEPS) -> Array:
    """Targets of the next `steps` steps, (..., 7) -> (..., steps, 7).

    Entry i is the feedback applied i + 1 times, starting from `q_rad`.
    """
    goal = np.asarray(goal_rad, dtype=np.float64)
    error = np.asarray(q_rad, dtype=np.float64) - goal
    targets = np.empty((*error.shape[:-1], steps, error.shape[-1]))
    for i in range(steps):
        distance = np.linalg.norm(error, axis=-1, keepdims=True)
        error = error * (1.0 - 1.0 / (FPS * np.hypot(APPROACH_S, distance / MAX_SPEED_RAD_S)))
        targets[..., i, :] = goal + error
    return targets
