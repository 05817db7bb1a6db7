"""A recording as numpy arrays, to plot, to measure, or to play again (replay.py).

The file is mapped, not read: an hour of motion is 1.3 GB. `cycles` copies it into one array; who
cannot afford that walks over `parts()`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rt_infer.recording import blocks
from rt_infer.recording.blocks import Block

_ACTION = 1  # RTI_RECORD_ACTION


class RecordingError(ValueError):
    """The file is no recording that can be read; one sentence says why."""


class Chunk(NamedTuple):
    """One answer of the policy, as the core got it."""

    id: int  # cycles["chunk_id"] tells which one is followed
    epoch: int
    origin_step: float  # action i belongs to this policy step + i
    capture_ns: int  # CLOCK_MONOTONIC, as cycles["time_ns"]
    received_ns: int
    actions: npt.NDArray[np.float64]  # (T, A): joint positions [rad], then tool values


class Gap(NamedTuple):
    """Cycles that the recording lacks, since they were overwritten before they were read."""

    part: int  # they belong into this one of parts() or before it
    lost: int


class Recording:
    """A recorded run; made by `rt_infer.recording.open`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        file = _map(self.path)
        self._blocks = list(blocks.blocks(file))
        self.header = _header(self.path, self._blocks)
        try:
            self._cycle = blocks.dtype_from_json(self.header["cycle_record"])
            self._action = blocks.dtype_from_json(self.header["ring_record"])
        except (KeyError, TypeError, ValueError) as error:
            raise RecordingError(
                f"{self.path} does not say how its records look: {error!r}."
            ) from error
        for block in self._blocks:
            record = {blocks.CYCLES: self._cycle, blocks.RING: self._action}.get(block.kind)
            if record is not None and len(block.payload) % record.itemsize:
                raise RecordingError(
                    f"{self.path} has records of another size than it says; nothing wrote it so."
                )
        self._unread_bytes = len(file) - self._blocks[-1].end
        self.damaged = blocks.damaged_at(file, self._blocks[-1].end)

    @property
    def done(self) -> dict[str, Any] | None:
        """How the run ended, as its last block says; None if that is not there."""
        last = self._blocks[-1]
        return _json(last) if last.kind == blocks.DONE else None

    @property
    def cut(self) -> str | None:
        """Why this is not the whole run, in a sentence; None if it is."""
        if self.done is not None and not self._unread_bytes:
            return None
        if self._unread_bytes:
            how = "damaged" if self.damaged else "cut off"
            what = f"The recording is {how} after byte {self._blocks[-1].end}"
        else:
            what = "The recording was not closed: its process was killed, or could not go on"
        count = sum(len(part) for part in self.parts())
        return f"{what}; it holds the run's first {count} cycles."

    @property
    def gaps(self) -> list[Gap]:
        """Where cycles are missing in between."""
        found, part = [], 0
        for block in self._blocks:
            if block.kind == blocks.CYCLES:
                part += 1
            elif block.kind == blocks.LOST:
                found.append(Gap(part, int(_json(block)["lost"])))
        return found

    def parts(self) -> Iterator[npt.NDArray[np.void]]:
        """The cycles as they were written, some 50 at a time: read-only views of the file."""
        for block in self._blocks:
            if block.kind == blocks.CYCLES:
                yield block.payload.view(self._cycle)

    @cached_property
    def cycles(self) -> npt.NDArray[np.void]:
        """(n,) of rti_record: cycle, time_ns, q, q_command, policy_step, phase, flags, …

        Units and meaning of each field: rti_record in csrc/include/rt_infer.h.
        """
        return self._joined(blocks.CYCLES, self._cycle)

    @cached_property
    def ring(self) -> npt.NDArray[np.void]:
        """(m,) of rti_action: everything that was pushed into the core's ring, in order."""
        return self._joined(blocks.RING, self._action)

    @property
    def time_s(self) -> npt.NDArray[np.float64]:
        """(n,) seconds since the first cycle."""
        time_ns = self.cycles["time_ns"]
        return np.asarray((time_ns - time_ns[:1]) / 1e9)

    @property
    def chunks(self) -> list[Chunk]:
        """The policy's answers that reached the core's ring, in order."""
        actions = self.ring[self.ring["kind"] == _ACTION]
        firsts = np.flatnonzero(actions["index"] == 0)
        chunks = []
        for first in firsts:
            head = actions[first]
            values = actions["values"][first : first + head["count"], : head["dim"]]
            chunks.append(
                Chunk(
                    id=int(head["chunk_id"]),
                    epoch=int(head["epoch"]),
                    origin_step=float(head["origin_step"]),
                    capture_ns=int(head["capture_ns"]),
                    received_ns=int(head["received_ns"]),
                    actions=values.copy(),
                )
            )
        return chunks

    def _joined(self, kind: bytes, dtype: np.dtype[np.void]) -> npt.NDArray[np.void]:
        # As bytes: numpy joins records without the padding between their fields.
        found = (block.payload for block in self._blocks if block.kind == kind)
        return np.concatenate([np.zeros(0, np.uint8), *found]).view(dtype)


def open_recording(path: str | os.PathLike[str]) -> Recording:
    """Open the file that `--record` wrote. OSError; RecordingError: it is none.

    A file that was cut off is read up to its last whole block: see `Recording.cut`.
    """
    return Recording(path)


def _map(path: str) -> npt.NDArray[np.uint8]:
    with open(path, "rb") as file:
        magic = file.read(len(blocks.MAGIC))
    if magic != blocks.MAGIC:
        raise RecordingError(f"{path} is no recording of rt-infer; name a file of --record.")
    return np.memmap(path, dtype=np.uint8, mode="r")


def _header(path: str, found: list[Block]) -> dict[str, Any]:
    if not found or found[0].kind != blocks.HEAD:
        raise RecordingError(f"{path} is cut off before the run began; there is nothing in it.")
    header = _json(found[0])
    if header.get("schema") != blocks.SCHEMA:
        raise RecordingError(
            f"{path} is of the form {header.get('schema')}, this version reads {blocks.SCHEMA}; "
            "use the version that wrote it."
        )
    return header


def _json(block: Block) -> dict[str, Any]:
    values = json.loads(block.payload.tobytes())
    if not isinstance(values, dict):
        raise RecordingError(f"its {block.kind.decode()} block is no JSON object")
    return values
