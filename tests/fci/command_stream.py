"""A stream of commands to the arm, what a judge says of it, and the file both judges read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Gaps = tuple[tuple[int, int], ...]  # (command, cycles that pass unanswered before it)

ACCEPTED = "accepted"
POSITION = "joint_position_limits_violation"
VELOCITY = "joint_motion_generator_velocity_limits_violation"
ACCELERATION = "joint_motion_generator_velocity_discontinuity"
JERK = "joint_motion_generator_acceleration_discontinuity"
START = "joint_position_motion_generator_start_pose_invalid"
LOST = "communication_constraints_violation"
NOT_FINITE = "command is infinite or NaN"


class Verdict(NamedTuple):
    """How many cycles of the arm a stream got through, lost ones included, and what ended it.

    ``cycles`` is the index of the first failing cycle, or the length of a stream that was accepted.
    """

    cycles: int
    reflex: str


@dataclass(frozen=True)
class Stream:
    """Commands in the order of their cycles; ``lost`` says where the arm got none."""

    name: str  # family/which
    start_pose_rad: Array  # (7,): q_d at rest, before the first cycle
    commands: Array  # (N, 7) rad
    lost: Gaps = ()
    expected: str | None = None  # ACCEPTED or a reflex, where the construction tells

    @property
    def cycles(self) -> int:
        return len(self.commands) + sum(count for _, count in self.lost)

    @property
    def family(self) -> str:
        return self.name.split("/")[0]


def save(path: Path, streams: Sequence[Stream]) -> None:
    """Write streams as plain arrays: no object in it needs to be unpickled."""
    np.savez(
        path,
        start_pose_rad=np.array([s.start_pose_rad for s in streams]).reshape(-1, 7),
        commands=np.concatenate([s.commands for s in streams]),
        command_counts=np.array([len(s.commands) for s in streams]),
        lost=np.array([gap for s in streams for gap in s.lost], dtype=np.int64).reshape(-1, 2),
        lost_counts=np.array([len(s.lost) for s in streams]),
    )


def without(commands: Array, gaps: Sequence[tuple[int, int]]) -> tuple[Array, Gaps]:
    """A client that goes by the arm's time: the commands of the lost cycles never arrive.

    ``gaps`` are (cycle, cycles lost), apart from each other. Returns what arrives, and ``lost``.
    """
    arrives = np.ones(len(commands), dtype=bool)
    for cycle, count in gaps:
        arrives[cycle : cycle + count] = False
    lost = tuple((int(arrives[:cycle].sum()), count) for cycle, count in sorted(gaps))
    return commands[arrives], lost
