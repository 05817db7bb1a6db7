"""Where a session's observations are received and who answers them: a worker, or the door.

Both kinds offer the same four calls to the session's own thread, and answer through the session's
`deliver`: a worker later and from its host's thread, `hold` at once.
"""

from __future__ import annotations

import time
from typing import Protocol

import msgspec
import numpy as np

from rt_infer.policies.hold import HoldPolicy
from rt_infer.server.desk import WorkerGone, WorkerStuck
from rt_infer.server.memory import SessionMemory
from rt_infer.server.seat import Answer, Arrived, Seat
from rt_infer.server.worker_host import WorkerHost
from rt_infer.server.workers import Workers
from rt_infer.wire.layout import ObservationLayout
from rt_infer.wire.refusals import ErrorBody, ErrorCode, Refusal


class Answers(Protocol):
    """One session's way to its policy; used by the session's thread only."""

    def buffer(self, length: int) -> memoryview:
        """Where to receive the next observation's body; valid until it is submitted."""
        ...

    def submit(self, observation: Arrived) -> Arrived | None:
        """The buffer holds `observation`; returns the unserved one that it supersedes."""
        ...

    def void(self) -> Arrived | None:
        """A reset: forget the observation that waits, if one does, and return it."""
        ...

    def close(self) -> None:
        """The session is over: nothing is delivered once this has returned, nothing is kept."""
        ...


class WorkerAnswers:
    """Observations go to a worker through shared memory. Takes over the acquired `host`."""

    def __init__(
        self, workers: Workers, host: WorkerHost, seat: Seat, layout: ObservationLayout
    ) -> None:
        """Refusal if the worker has died meanwhile, or if there is no memory left."""
        self._workers = workers
        self._host = host
        self._seat = seat
        try:
            self._memory = SessionMemory(seat.session, layout.greatest_body_length)
        except OSError as error:
            sentence = f"The server has no memory for another robot ({error.strerror}): wait."
            raise Refusal(ErrorBody.of(ErrorCode.BUSY, sentence)) from None
        try:
            host.desk.open(
                seat,
                msgspec.json.encode(layout.spec),
                self._memory.stride,
                layout.head.steps,
                self._memory.take_descriptor(),
            )
        except WorkerGone:
            self._memory.close()
            raise Refusal(host.why_gone()) from None
        except WorkerStuck:
            self._memory.close()
            sentence = f"The worker of policy {host.key} is stuck in an observation: wait for it."
            raise Refusal(ErrorBody.of(ErrorCode.BUSY, sentence)) from None

    def buffer(self, length: int) -> memoryview:
        return self._memory.slot(self._seat.slots.receiving, length)

    def submit(self, observation: Arrived) -> Arrived | None:
        return self._host.desk.submit(self._seat, observation)

    def void(self) -> Arrived | None:
        return self._host.desk.void(self._seat)

    def close(self) -> None:
        self._host.desk.close(self._seat)
        self._memory.close()
        self._workers.release(self._host.key)


class HoldAnswers:
    """`hold`, answered where the observation was received: no worker, no shared memory.

    What it answers is made from the first observation after a reset and stays the same until the
    next one; of the others not a pixel is looked at.
    """

    def __init__(self, policy: HoldPolicy, seat: Seat, layout: ObservationLayout) -> None:
        self._policy = policy
        self._seat = seat
        self._layout = layout
        self._body = memoryview(bytearray(layout.greatest_body_length))
        self._generation = 0
        self._actions: np.ndarray | None = None

    def buffer(self, length: int) -> memoryview:
        return self._body[:length]

    def submit(self, observation: Arrived) -> Arrived | None:
        started_ns = prepared_ns = time.monotonic_ns()
        if self._actions is None or observation.generation != self._generation:
            self._generation = observation.generation
            self._policy.reset()
            state = self._policy.prepare(self._layout.views(self.buffer(observation.length))[-1])
            prepared_ns = time.monotonic_ns()
            self._actions = self._policy.finish(self._policy.infer(state))
        inferred_ns = time.monotonic_ns()
        self._seat.deliver(observation, Answer(self._actions, started_ns, prepared_ns, inferred_ns))
        return None

    def void(self) -> Arrived | None:
        return None

    def close(self) -> None:
        self._body = memoryview(b"")
