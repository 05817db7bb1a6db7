"""Planted policies that move the arm as moving_policy does, and a gripper with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from moving_policy import JOINTS, STEPS, Moving

SWITCH = 20
NAMES = (*JOINTS, "gripper.pos")


class Gripping(Moving):
    """From end to end, at a known step.

    In the first `SWITCH` steps of an answer the gripper is to stay where it was measured, then to
    go to the other end: so it moves only if the measurement goes round.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, state=NAMES, actions=NAMES)

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return np.column_stack([super().infer(batch[:7]), self.fingers(batch[7])])

    def fingers(self, measured: float) -> np.ndarray:
        other_end = 0.0 if measured > 0.5 else 1.0
        return np.where(np.arange(STEPS) < SWITCH, measured, other_end)


class Closing(Gripping):
    """Closes from wide open, a little at every step."""

    def fingers(self, measured: float) -> np.ndarray:
        return np.linspace(1.0, 0.0, STEPS)


def make(device: str) -> Gripping:
    return Gripping()


def make_closing(device: str) -> Closing:
    return Closing()
