"""The answer to an observation: T actions, and where their time went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rt_infer._frames import CHUNK_HEAD_SIZE, ChunkHead
from rt_infer.wire.frames import Fault, Header

_STAGES = ("queue", "prepare", "infer", "finish", "total")
_WRONG = {
    Fault.SHAPE: "its shape is not the agreed one",
    Fault.DTYPE: "its numbers are not float32",
    Fault.BODY_LENGTH: "its length does not fit its shape",
    Fault.NOT_FINITE: "an action is not a finite number",
}


class BadChunk(ValueError):
    """A chunk that must not move an arm, in one sentence."""


@dataclass(frozen=True)
class Chunk:
    """One chunk. Action i belongs to `policy_step` + i on the robot's policy clock.

    actions: float32 (T, A), finite, this object's own memory.
    timing_ms: the server's stages "queue", "prepare", "infer", "finish" and "total", in ms.
    epoch, policy_step, capture_ns: of the observation that it answers.
    received_ns: CLOCK_MONOTONIC here when the last byte had come.
    """

    actions: npt.NDArray[np.float32]
    timing_ms: dict[str, float]
    epoch: int
    policy_step: float
    capture_ns: int
    received_ns: int

    def __getitem__(self, key: str) -> Any:
        """`chunk["actions"]` for those who are used to a dict."""
        if key not in self.__dataclass_fields__:
            raise KeyError(key)
        return getattr(self, key)


def read_chunk(
    header: Header, body: memoryview, head: ChunkHead, shape: tuple[int, int], received_ns: int
) -> Chunk:
    """Check a CHUNK's body against the agreed (T, A) and copy it out; BadChunk if it is bad."""
    fault = head.unpack_from(body, 0, header.body_length, *shape)
    if fault != Fault.NONE:
        raise BadChunk(f"The server's chunk is not used, since {_WRONG[Fault(fault)]}.")
    actions = np.frombuffer(body, np.float32, shape[0] * shape[1], CHUNK_HEAD_SIZE)
    times_us = (head.queue_us, head.prepare_us, head.infer_us, head.finish_us, head.total_us)
    return Chunk(
        actions=actions.reshape(shape).copy(),
        timing_ms={stage: us * 1e-3 for stage, us in zip(_STAGES, times_us, strict=True)},
        epoch=header.epoch,
        policy_step=header.policy_step,
        capture_ns=head.capture_ns,
        received_ns=received_ns,
    )
