"""A session as a worker's desk sees it, and what passes between the two."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from rt_infer.server.slots import Slots
from rt_infer.wire.refusals import ErrorBody


class Arrived(NamedTuple):
    """What is known of an observation beside its bytes, which lie in a slot."""

    sequence: int
    epoch: int
    policy_step: float
    capture_ns: int  # the robot's clock
    arrival_ns: int  # ours
    slack_s: float
    length: int
    generation: int  # resets of the session before it; the policy forgets it when this rises


class Answer(NamedTuple):
    """What a policy made of an observation. Times in ns of this machine's CLOCK_MONOTONIC."""

    actions: np.ndarray  # float32 (T, A), not yet checked
    started_ns: int
    prepared_ns: int
    inferred_ns: int


class Refused(NamedTuple):
    """Why a policy made nothing of an observation: the ERROR to send."""

    code: int
    sentence: str


class Seat(Protocol):
    """A session at a desk."""

    @property
    def session(self) -> int:
        """Its number, never used twice while the server runs."""
        ...

    @property
    def slots(self) -> Slots[Arrived]:
        """Its slots' states, guarded by the desk's lock while it is seated."""
        ...

    def deliver(self, observation: Arrived, outcome: Answer | Refused) -> None:
        """Answer `observation`. Called by the worker's thread; must neither block nor raise."""
        ...

    def worker_lost(self, body: ErrorBody) -> None:
        """No answer will come any more. Called by the worker's thread; must not block or raise."""
        ...
