"""What every policy offers to the worker that runs it: numpy in, numpy out.

A loader (`rt_infer.policies.<name>.load(path, device)`) answers with an object of this shape. The
worker calls it from one thread, one observation at a time, always in this order::

    batch = policy.prepare(observation)   # pixels and floats to the model's own tensors
    output = policy.infer(batch)          # the forward pass, and nothing else
    chunk = policy.finish(output)         # the model's output to actions

Three calls instead of one, so that the worker can time the stages separately; `prepare` must copy
what it keeps, because the observation's memory belongs to the link and is used again as soon as
`prepare` returns. This module knows no torch, so the door may name a `PolicySpec`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

STATE_KEY = "observation.state"
"""Key of the state in an observation: float32 (S,)."""

IMAGE_KEY_PREFIX = "observation.images."
"""Prefix of an image's key in an observation: uint8 (H, W, 3), RGB."""

TASK_KEY = "task"
"""Key of the instruction in an observation: str, empty when there is none."""


class CannotLoad(Exception):
    """What a loader raises for a mistake that its user can mend: one sentence, with what to do."""


@dataclass(frozen=True)
class PolicySpec:
    """What a policy wants to see and what it answers with.

    state: names of the state's entries, in order; their number is the state's size S.
    images: camera name to (height, width, 3), uint8 RGB.
    actions: names of an action's entries, in order; their number is the action's size A.
    chunk_size: T, the actions in one answer.
    history: how many successive observations the policy wants at once; 1 is the newest only.
    fps: the rate in 1/s at which the actions are meant to be executed; None when it does not care.
    """

    state: tuple[str, ...]
    images: dict[str, tuple[int, int, int]]
    actions: tuple[str, ...]
    chunk_size: int
    history: int = 1
    fps: float | None = None

    def __post_init__(self) -> None:
        if not self.actions:
            raise ValueError("A policy needs at least one action name; give PolicySpec.actions.")
        if self.chunk_size < 1 or self.history < 1:
            raise ValueError(
                f"chunk_size and history must be at least 1, not {self.chunk_size} and "
                f"{self.history}; correct them in the PolicySpec."
            )
        for name, shape in self.images.items():
            sizes: tuple[int, ...] = shape
            if len(sizes) != 3 or sizes[2] != 3 or min(sizes) < 1:
                raise ValueError(
                    f"Image {name!r} has shape {shape}; give (height, width, 3) in the PolicySpec."
                )


class Policy(Protocol):
    """A loaded model. Called from one thread; no call may block on anything but the model."""

    @property
    def spec(self) -> PolicySpec:
        """What goes in and what comes out; constant for the life of the policy."""
        ...

    def reset(self, session: int) -> None:
        """Forget what is remembered of `session` (a robot's connection); a no-op if nothing is."""
        ...

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> Any:
        """Turn one observation (keys above) into the model's input; copies what it keeps.

        Raises ValueError with one sentence when an entry is missing or has the wrong shape.
        """
        ...

    def infer(self, batch: Any) -> Any:
        """Run the model on what `prepare` made."""
        ...

    def finish(self, output: Any) -> np.ndarray:
        """Turn the model's output into float32 (T, A): the actions of one chunk, first to last."""
        ...
