"""Recordings made by hand, and recordings with a planted change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import rt_infer.recording
from rt_infer import _core
from rt_infer.recording import Recording, blocks
from rt_infer.recording.writer import Writer

Records = npt.NDArray[np.void]
HEADER: dict[str, Any] = {
    "schema": blocks.SCHEMA,
    "robot": {"type": "sim_fr3", "id": "a"},
    "policy": {"type": "hold", "path": ""},
    "core": {"arm": {"type": "sim_fr3"}, "fps": 30.0},
    "build": {},
    "cycle_record": blocks.dtype_to_json(_core.record_dtype()),
    "ring_record": blocks.dtype_to_json(_core.action_dtype()),
}
DONE = {"exit_code": 0, "ending": None, "reflexes": []}


def cycles(count: int, first: int = 1) -> Records:
    made = np.zeros(count, _core.record_dtype())
    made["cycle"] = first + np.arange(count)
    made["time_ns"] = 5_000_000_000 + made["cycle"].astype(np.int64) * 1_000_000
    made["elapsed_cycles"] = 1
    made["q"] = np.random.default_rng(first).normal(size=(count, 7))
    made["q_command"] = made["q"] + 1e-3
    return made


def chunk(chunk_id: int, steps: int = 50, dim: int = 8) -> Records:
    made = np.zeros(steps, _core.action_dtype())
    made["kind"] = 1
    made["epoch"] = 3
    made["chunk_id"] = chunk_id
    made["index"] = np.arange(steps)
    made["count"] = steps
    made["capture_ns"] = 1000 * chunk_id
    made["received_ns"] = 1000 * chunk_id + 70
    made["origin_step"] = 10.5 * chunk_id
    made["dim"] = dim
    made["values"][:, :dim] = np.random.default_rng(chunk_id).normal(size=(steps, dim))
    return made


def new_epoch() -> Records:
    made = np.zeros(1, _core.action_dtype())
    made["kind"] = 2
    return made


def nothing(dtype: np.dtype[np.void]) -> Records:
    return np.zeros(0, dtype)


def joined(*parts: Records) -> Records:
    """As np.concatenate, which leaves out the padding between fields."""
    return np.frombuffer(b"".join(part.tobytes() for part in parts), parts[0].dtype)


def planted(
    recording: Recording,
    path: Path,
    *,
    cycles: Records | None = None,
    ring: Records | None = None,
    header: Mapping[str, Any] | None = None,
) -> Recording:
    """The same recording with other cycles, other actions or another header."""
    writer = Writer(str(path), {**recording.header, **(header or {})})
    writer.add(
        recording.ring if ring is None else ring, recording.cycles if cycles is None else cycles
    )
    writer.close(DONE)
    return rt_infer.recording.open(path)


def flip_a_bit(values: npt.NDArray[np.float64], at: tuple[int, ...]) -> None:
    """The lowest bit of one double, in place."""
    values[at] = (values[at].view(np.uint64) ^ np.uint64(1)).view(np.float64)
