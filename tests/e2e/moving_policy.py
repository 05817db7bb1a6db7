"""A planted policy that moves the arm to and fro between two poses; no model, so it loads at once.

Each answer leads from the state it was asked in to the pose whose turn it is, along half a cosine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rt_infer.policies.base import STATE_KEY, PolicySpec

JOINTS = tuple(f"joint_{i}.pos" for i in range(1, 8))
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
SWING = np.array([0.3, 0.15, -0.2, 0.2, 0.3, -0.2, 0.3])
START = HOME + np.array([1.0, 0.3, 0.0, 0.0, 0.0, 0.0, -0.4])
STEPS = 50


class Moving:
    def __init__(self) -> None:
        self.spec = PolicySpec(
            state=JOINTS,
            images=dict.fromkeys(("front", "side"), (240, 320, 3)),
            actions=JOINTS,
            chunk_size=STEPS,
            fps=30.0,
        )
        self._turn = 1

    def reset(self, session: int) -> None:
        pass

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
        return np.array(observation[STATE_KEY], dtype=np.float64)

    def infer(self, batch: np.ndarray) -> np.ndarray:
        self._turn = -self._turn
        progress = np.minimum(np.arange(1, STEPS + 1) / (0.9 * STEPS), 1.0)
        share = (1 - np.cos(np.pi * progress)) / 2
        return batch + (HOME + self._turn * SWING - batch) * share[:, None]

    def finish(self, output: np.ndarray) -> np.ndarray:
        return output.astype(np.float32)


class FarAway(Moving):
    """Wants the arm 0.6 rad from where it is, at once."""

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return np.repeat(batch[None] + [0.6, 0, 0, 0, 0, 0, 0], STEPS, axis=0)


class FarStart(Moving):
    """Begins a radian from home, and moves to and fro there."""

    def infer(self, batch: np.ndarray) -> np.ndarray:
        there = START - HOME
        begin = batch if np.abs(batch - START).max() < 0.45 else START
        return super().infer(begin - there) + there


class InDegrees(Moving):
    """Answers in another unit than the robot's."""

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return np.rad2deg(super().infer(batch))


class Turned(Moving):
    """Begins where the hand looks back over the base, and stays there."""

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return np.repeat((HOME + [2.6, 0, 0, 0, 0, 0, 0])[None], STEPS, axis=0)


class Remembering(Moving):
    """Writes a line into a file, named by RESETS_FILE, whenever it is told to forget."""

    def reset(self, session: int) -> None:
        with open(os.environ["RESETS_FILE"], "a", encoding="utf-8") as file:
            file.write(f"{session}\n")


class Failing(Moving):
    """Raises at the third to the fifth observation of a robot; the first is the warming-up."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    def infer(self, batch: np.ndarray) -> np.ndarray:
        self._asked += 1
        if 3 <= self._asked <= 5:
            raise RuntimeError("the gripper is upside down")
        return super().infer(batch)


class Slow(Moving):
    """Thinks for a second about everything but the warming-up."""

    def __init__(self) -> None:
        super().__init__()
        self._warm = False

    def infer(self, batch: np.ndarray) -> np.ndarray:
        if self._warm:
            time.sleep(1.0)
        self._warm = True
        return super().infer(batch)


class Stranger(Moving):
    """Made for an arm whose joints are counted from nought."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, actions=tuple(f"joint_{i}.pos" for i in range(7)))


class Mirrored(Moving):
    """Names the joints from the other end, and tells where they go in that order."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = replace(self.spec, actions=JOINTS[::-1])

    def finish(self, output: np.ndarray) -> np.ndarray:
        return super().finish(output)[:, ::-1]


def make_stranger(device: str) -> Stranger:
    return Stranger()


def make_mirrored(device: str) -> Mirrored:
    return Mirrored()


def make(device: str) -> Moving:
    return Moving()


def make_far_away(device: str) -> FarAway:
    return FarAway()


def make_far_start(device: str) -> FarStart:
    return FarStart()


def make_in_degrees(device: str) -> InDegrees:
    return InDegrees()


def make_turned(device: str) -> Turned:
    return Turned()


def make_remembering(device: str) -> Remembering:
    return Remembering()


def make_failing(device: str) -> Failing:
    return Failing()


def make_slow(device: str) -> Slow:
    return Slow()
