"""Streams of chunks that every splice rule is given alike: what policies say, step by step.

A stream says what a policy answers to an observation at every `SPACING`-th step: `chunks` is
(N, T, 7) targets [rad], chunk k belonging to step k * SPACING. All are seeded or recorded; nothing
here depends on which rule will meet them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FPS = 30.0
SPACING = 5  # steps
CHUNK = 50  # actions
STEPS = 1200  # 40 s
READY: Array = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
RECORDING = Path(__file__).parent / "data" / "reach_stream.npz"


@dataclass(frozen=True)
class Stream:
    """name: what it is called in tables. about: one line of what it is. start_rad: (7,)."""

    name: str
    about: str
    start_rad: Array
    chunks: Array

    def write(self, path: Path) -> None:
        """As csrc/benches/splice_rules.cpp reads it."""
        count, actions, _ = self.chunks.shape
        header = [FPS, float(SPACING), float(actions), float(count), *self.start_rad]
        np.concatenate([header, self.chunks.ravel()]).tofile(path)

    def raw_targets(self) -> Array:
        """What a robot without latency would be told at each step, held for it: (M, 7), 1 kHz."""
        targets = self.chunks[:, :SPACING].reshape(-1, 7)
        cycles = np.arange(int(len(targets) / FPS * 1000))
        return targets[(cycles * FPS / 1000).astype(int)]


def streams() -> list[Stream]:
    """All of them, in the order of the tables."""
    return [reach(), act_like(), changing_mind()]


def reach() -> Stream:
    """The shipped policy, recorded by record_reach_stream.py."""
    with np.load(RECORDING) as recorded:
        return Stream(
            "reach",
            "the shipped policy, recorded in closed loop with its scene: ten markers in 40 s",
            recorded["start_rad"],
            np.cumsum(recorded["units"], axis=1, dtype=np.int64) * float(recorded["unit_rad"]),
        )


def act_like() -> Stream:
    """A slow reference for all joints, as a noisy regressor sees it."""
    rng = np.random.default_rng(5)
    frequency_hz = rng.uniform(0.1, 0.3, 7)
    amplitude_rad = rng.uniform(0.1, 0.25, 7)
    chunks = []
    for step in range(0, STEPS, SPACING):
        at_s = (step + np.arange(CHUNK))[:, None] / FPS
        reference = READY + amplitude_rad * (1.0 - np.cos(2.0 * np.pi * frequency_hz * at_s))
        offset = rng.normal(0.0, rng.uniform(5e-3, 10e-3), 7)
        noise = rng.normal(0.0, rng.uniform(1e-3, 2e-3), (CHUNK, 7))
        chunks.append(reference + offset + noise)
    return Stream(
        "noisy",
        "an ACT-like regressor: slow sines, each chunk off by 5 to 10 mrad, each action by 1 to 2",
        READY,
        np.array(chunks),
    )


def changing_mind() -> Stream:
    """Two goals, and a policy that goes for one, then for the other; now and then one chunk only.

    What has been decided is carried out, by an ideal arm, until the next change; each chunk begins
    where that arm is and goes on towards the goal that it has in mind, at 0.5 rad/s at most.
    """
    rng = np.random.default_rng(6)
    goals = READY + 0.3 * np.array([np.ones(7), -np.ones(7)]) * rng.uniform(0.5, 1.0, 7)
    mind, q, change_at, chunks = 0, READY.copy(), 40, []
    for step in range(0, STEPS, SPACING):
        if step >= change_at:
            mind, change_at = 1 - mind, step + int(rng.integers(25, 90))
        stray = rng.random() < 0.1
        chunks.append(_towards(q, goals[1 - mind if stray else mind]))
        q = _towards(q, goals[mind])[SPACING]
    return Stream(
        "torn",
        "a policy that changes its mind between two goals, 0.5 rad/s in one direction or the other",
        READY,
        np.array(chunks),
    )


def _towards(q: Array, goal: Array) -> Array:
    """Actions (CHUNK, 7) from `q` on, straight at the goal, slowing down within 0.1 rad of it."""
    actions = [q]
    for _ in range(CHUNK - 1):
        left = float(np.abs(goal - actions[-1]).max())
        share = min(1.0, 0.5 / FPS * np.tanh(left / 0.1) / left) if left > 1e-9 else 0.0
        actions.append(actions[-1] + share * (goal - actions[-1]))
    return np.array(actions)
