"""When to ask for the next chunk, and whether what came back may go to the core. Pure logic.

Ask when the steps still queued fall to `threshold` of a chunk, and at once in a new epoch, whose
queue is empty. One question is outstanding at a time. A chunk that was pushed counts as queued once
the core has judged it, from that very state on, so until then nothing new is asked: the queue that
the mailbox shows is still the old one.

What is checked here is checked again by the core; here it keeps the ring clean and gives the user a
sentence.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

LONGEST_WAIT_S = 0.05  # the queue can run down faster than thought: an epoch may end at any time


class Verdict(enum.Enum):
    """What became of a received chunk before the ring; the value goes into the report."""

    GOOD = "good"
    MALFORMED = "malformed"
    NOT_FINITE = "not_finite"
    OLD_EPOCH = "epoch"
    TOO_OLD = "age"
    RING_FULL = "ring_full"
    NO_POSE = "no_pose"  # a quaternion of no length
    SUPERSEDED = "superseded"  # the server answered that it dropped the observation


def judge(
    actions: npt.NDArray[np.float32],
    *,
    action_size: int,
    max_actions: int,
    chunk_epoch: int,
    epoch: int,
    age_s: float,
    max_age_s: float,
) -> Verdict:
    """Whether a chunk (T, A) may go into the ring now."""
    if actions.ndim != 2 or actions.shape[1] != action_size:
        return Verdict.MALFORMED
    if not 1 <= actions.shape[0] <= max_actions:
        return Verdict.MALFORMED
    if not np.isfinite(actions).all():
        return Verdict.NOT_FINITE
    if chunk_epoch != epoch:
        return Verdict.OLD_EPOCH
    if age_s > max_age_s:
        return Verdict.TOO_OLD
    return Verdict.GOOD


@dataclass
class AskRule:
    """Decides when to ask. `judged` below is the core's count of chunks admitted or refused."""

    actions_per_chunk: int
    threshold: float
    fps: float
    _awaiting: bool = False
    _pushed: bool = False
    _judged_before: int = 0
    refused: dict[Verdict, int] = field(default_factory=dict)

    def due(self, *, steps_queued: float, judged: int) -> bool:
        """Ask now?"""
        if self._awaiting:
            return False
        if self._pushed:
            if judged <= self._judged_before:
                return False
            self._pushed = False
        return steps_queued <= self.threshold * self.actions_per_chunk

    def wait_s(self, steps_queued: float) -> float:
        """How long nothing can become due; the queue runs down at `fps` at most."""
        left = (steps_queued - self.threshold * self.actions_per_chunk) / self.fps
        return min(max(left, 0.002), LONGEST_WAIT_S)

    def slack_s(self, steps_queued: float) -> float:
        """How long the queued actions last: how soon the answer is needed."""
        return max(steps_queued, 0.0) / self.fps

    def asked(self) -> None:
        self._awaiting = True

    def pushed(self, judged: int) -> None:
        """The answer went to the core, whose count of judged chunks was `judged` just before."""
        self._awaiting, self._pushed, self._judged_before = False, True, judged

    def refuse(self, verdict: Verdict) -> None:
        """The answer was good for nothing; another may be asked for."""
        self._awaiting = False
        self.refused[verdict] = self.refused.get(verdict, 0) + 1

    def failed(self) -> None:
        """There was no answer but an error; another may be asked for."""
        self._awaiting = False

    def new_epoch(self) -> None:
        """The core dropped what was pushed; an answer that is still out will be of an old epoch."""
        self._pushed = False

    @property
    def awaiting(self) -> bool:
        """A question is out."""
        return self._awaiting
