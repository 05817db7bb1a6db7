"""Where the time of each chunk went, and what the link carried: measured for the report.

The stages of one chunk, in milliseconds and in this order:

    capture   exposure of its oldest image -> the observation is ready to be sent
    encode    the frame is built and handed to the kernel
    network   from there to the answer's arrival, less what the server says it took itself
    queue, prepare, infer, finish    the server's own times, from the chunk
    splice    received -> followed by the core, counted in the core
    total     exposure -> followed

The uplink's thread calls `received`, the main thread `followed`, the display reads: appending to an
array and taking a key out of a dict are one step each under the GIL.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

SERVER_STAGES = ("queue", "prepare", "infer", "finish")
STAGES = ("capture", "encode", "network", *SERVER_STAGES, "total")
REMEMBERED = 256  # chunks whose capture time is kept until the core follows them


def _empty() -> dict[str, array[float]]:
    return {stage: array("d") for stage in STAGES}


@dataclass
class Timings:
    """Durations of every stage of every chunk, in ms."""

    stages_ms: dict[str, array[float]] = field(default_factory=_empty)
    answer_ms: float = 0.0  # the newest chunk's, followed or not: exposure -> received
    _captured_ns: dict[int, int] = field(default_factory=dict)

    def received(
        self,
        *,
        chunk_id: int,
        capture_ns: int,
        ready_ns: int,
        sent_ns: int,
        received_ns: int,
        server_ms: Mapping[str, float],
    ) -> None:
        """A chunk came back: when its observation was captured, ready, sent, and it received."""
        self.answer_ms = (received_ns - capture_ns) / 1e6
        add = self.stages_ms
        add["capture"].append((ready_ns - capture_ns) / 1e6)
        add["encode"].append((sent_ns - ready_ns) / 1e6)
        add["network"].append(max((received_ns - sent_ns) / 1e6 - server_ms["total"], 0.0))
        for stage in SERVER_STAGES:
            add[stage].append(server_ms[stage])
        self._captured_ns[chunk_id] = capture_ns
        if len(self._captured_ns) > REMEMBERED:
            self._captured_ns.pop(min(self._captured_ns), None)  # if it is not just followed

    def followed(self, chunk_id: int, time_ns: int) -> None:
        """The core began to follow a chunk."""
        capture_ns = self._captured_ns.pop(chunk_id, None)
        if capture_ns is not None:
            self.stages_ms["total"].append((time_ns - capture_ns) / 1e6)

    def summary(self, stage: str) -> dict[str, float]:
        """p50, p99 and max of a stage in ms; zeros where nothing was measured."""
        values = np.array(self.stages_ms[stage])
        if not len(values):
            return {"p50": 0.0, "p99": 0.0, "max": 0.0}
        p50, p99 = np.percentile(values, [50, 99])
        return {"p50": float(p50), "p99": float(p99), "max": float(values.max())}

    def last_ms(self, stage: str) -> float:
        """The newest value of a stage; 0 before the first."""
        values = self.stages_ms[stage]
        return values[-1] if len(values) else 0.0


@dataclass
class LinkCounts:
    """What went over the link, all connections of the run together."""

    transport: str  # "tcp" or "unix"
    reconnects: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    chunks_received: int = 0
