"""Plays a recorded run again and compares, bit by bit, what the core decides with what it did.

A fresh stepper gets the states that the arm reported and the records that the ring brought, cycle
by cycle (csrc/control/replay.hpp). No arm is simulated, nothing is sent anywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rt_infer import _core
from rt_infer.recording.identity import differences, identity
from rt_infer.recording.reader import Recording, RecordingError

# What a cycle decided, in the order in which a difference is told.
DECISIONS = ("q_command", "policy_step", "policy_rate", "phase", "flags", "epoch", "chunk_id")


class Difference(NamedTuple):
    """The first cycle that is decided otherwise than it was."""

    row: int  # in Recording.cycles
    cycle: int  # the arm's count
    time_ns: int
    field: str  # one of DECISIONS
    joint: int | None  # 1 to 7, of q_command
    recorded: float
    played: float


class Replayed(NamedTuple):
    cycles: int  # played
    difference: Difference | None  # None: every cycle is equal, bit for bit
    other_build: list[str]  # what the build that recorded it has otherwise


def replay(recording: Recording) -> Replayed:
    """Play the run again up to its end, or to the first cycle that differs.

    RecordingError: it cannot be played, since it has a gap or belongs to another layout.
    """
    ours = identity()
    theirs: dict[str, Any] = recording.header.get("build", {})
    if theirs.get("layout_hash") != ours["layout_hash"]:
        raise RecordingError(
            f"{recording.path} was recorded by rt-infer {theirs.get('version')} with other records "
            f"than this version's ({ours['version']}); replay it with that one."
        )
    for gap in recording.gaps:
        raise RecordingError(
            f"{recording.path} lacks {gap.lost} cycles, {_at(recording, gap.part)}: the robot's "
            "process did not get to read them; nothing after them can be played again."
        )
    cycles = 0
    try:
        player = _core.Replay(recording.header["core"])
        player.push(recording.ring)
        for part in recording.parts():
            found = _first_difference(part, player.play(part))
            if found is not None:
                found = found._replace(row=cycles + found.row)
                return Replayed(found.row + 1, found, differences(theirs, ours))
            cycles += len(part)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingError(f"{recording.path} cannot be played again: {error}.") from error
    return Replayed(cycles, None, differences(theirs, ours))


def _first_difference(
    recorded: npt.NDArray[np.void], played: npt.NDArray[np.void]
) -> Difference | None:
    first: Difference | None = None
    for field in DECISIONS:
        was, now = _rows(recorded[field]), _rows(played[field])
        rows, columns = np.nonzero(_bits(was) != _bits(now))
        if len(rows) and (first is None or rows[0] < first.row):
            row, column = int(rows[0]), int(columns[0])
            first = Difference(
                row,
                int(recorded["cycle"][row]),
                int(recorded["time_ns"][row]),
                field,
                column + 1 if field == "q_command" else None,
                float(was[row, column]),
                float(now[row, column]),
            )
    return first


def _rows(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(values).reshape(len(values), -1)


def _bits(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Floats as their bits: -0.0 is not 0.0 here, and a NaN is itself."""
    return values.view(f"u{values.itemsize}")


def _at(recording: Recording, part: int) -> str:
    before = sum(len(each) for at, each in enumerate(recording.parts()) if at < part)
    return f"somewhere around its cycle {before + 1}"
