"""Your own policy for the hand: the fingertip goes round in circles, told as steps of its pose.

circles.py does the same with two joints. The robot finds the joints itself; docs/policies.md has
the other kinds of actions. No torch is needed where there is no network.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rt_infer.policies.base import STATE_KEY, PolicySpec
from rt_infer.robots.fr3_kinematics import tip_position_m

JOINTS = tuple(f"joint_{i}.pos" for i in range(1, 8))
STEP = tuple(f"ee.delta_{part}" for part in ("x", "y", "z", "wx", "wy", "wz"))
CENTRE_M = np.array([0.36, 0.0, 0.45])  # in the robot's base frame
RADIUS_M, LAP_S, FPS, STEPS = 0.08, 6.0, 30.0, 50


def velocity_m_s(tip_m: np.ndarray) -> np.ndarray:
    """Where the fingertip should go from `tip_m` (3,): round the centre, seen along x."""
    x, y, z = tip_m - CENTRE_M
    inward = max(1 - (y * y + z * z) / RADIUS_M**2, -1)
    turn = 2 * np.pi / LAP_S
    return np.array([-x, inward * y - turn * z, inward * z + turn * y])


class HandCircles:
    """A policy as the server wants it: see `Policy` in rt_infer/policies/base.py."""

    def __init__(self) -> None:
        self.spec = PolicySpec(state=JOINTS, images={}, actions=STEP, chunk_size=STEPS, fps=FPS)

    def reset(self, session: int) -> None:
        """Nothing is remembered between observations."""

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
        return tip_position_m(np.array(observation[STATE_KEY], dtype=np.float64))

    def infer(self, batch: np.ndarray) -> np.ndarray:
        steps = np.zeros((STEPS, len(STEP)))  # the last three stay 0: the hand does not turn
        tip_m = batch
        for step in steps:
            step[:3] = velocity_m_s(tip_m) / FPS
            tip_m = tip_m + step[:3]
        return steps

    def finish(self, output: np.ndarray) -> np.ndarray:
        return output.astype(np.float32)


def make(device: str) -> HandCircles:
    """What --allow_python names."""
    return HandCircles()
