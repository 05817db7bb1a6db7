"""Telemetry records made by hand, for tests of what reads them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RECORD = np.dtype(
    [
        ("cycle", "u8"),
        ("time_ns", "i8"),
        ("policy_step", "f8"),
        ("policy_rate", "f8"),
        ("chunk_id", "u8"),
        ("epoch", "u4"),
        ("phase", "u2"),
        ("flags", "u2"),
        ("wake_late_ns", "u4"),
        ("response_ns", "u4"),
        ("elapsed_cycles", "u8"),
        ("q_command", "f8", (7,)),
        ("q", "f8", (7,)),
    ]
)


def records(cycles: int, *, start_ns: int = 1_000_000_000, epoch: int = 1) -> npt.NDArray[np.void]:
    """`cycles` records 1 ms apart: joint 1 moves at 1 rad/s, the clock at 30 steps/s."""
    made = np.zeros(cycles, dtype=RECORD)
    number = np.arange(cycles)
    made["cycle"] = number
    made["time_ns"] = start_ns + number * 1_000_000
    made["policy_step"] = number * 0.03
    made["epoch"] = epoch
    made["phase"] = 2
    made["elapsed_cycles"] = 1
    made["q"][:, 0] = number * 0.001
    made["q_command"] = made["q"]
    return made


class Tape:
    """A telemetry reader that plays what it is given, one batch a call."""

    def __init__(self, *batches: npt.NDArray[np.void]) -> None:
        self._batches = list(batches)
        self.lost = 0

    def read(self) -> npt.NDArray[np.void]:
        return self._batches.pop(0) if self._batches else np.zeros(0, dtype=RECORD)
