"""What a run was, once it is over: everything that report, table and plot are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from rt_infer.actions.convert import ActionCounts
from rt_infer.robot.chunks import Verdict
from rt_infer.robot.recording import Kept
from rt_infer.robot.statistics import RunStatistics
from rt_infer.robot.timings import LinkCounts, Timings
from rt_infer.robot.wishes import Wishes

Outcome = Literal["finished", "stopped", "refused", "fault"]

EXIT_DONE = 0
EXIT_USAGE = 2
EXIT_NO_CONNECTION = 3
EXIT_REFUSED = 4
EXIT_FAULT = 5


@dataclass(frozen=True)
class Ending:
    """Why a run ends: an exit status and, unless all is well, a sentence for the user."""

    exit_code: int
    sentence: str | None = None
    stopped: bool = False  # by a signal


class RunEnds(Exception):
    """The run cannot go on; `ending` says why."""

    def __init__(self, exit_code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.ending = Ending(exit_code, sentence)


class SetUpError(Exception):
    """The run could not begin: a sentence, and the exit status that belongs to it."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass
class RunResult:
    """A run that is over."""

    ending: Ending
    duration_s: float  # of the core's motion
    stats: RunStatistics
    timings: Timings
    link: LinkCounts
    wishes: Wishes = field(default_factory=Wishes)  # what the user asked for meanwhile
    start_moves: int = 0
    refused: dict[Verdict, int] = field(default_factory=dict)  # before the ring
    errors: dict[str, int] = field(default_factory=dict)  # that the policy answered with
    errors_told: str | None = None  # the same in a sentence
    actions: ActionCounts = field(default_factory=ActionCounts)  # on their way to the core
    tools: dict[str, dict[str, int]] = field(default_factory=dict)  # what each did
    task: dict[str, int] | None = None
    records: npt.NDArray[np.void] | None = None  # telemetry, if it was kept
    telemetry_lost: int = 0
    recording: Kept | None = None

    @property
    def outcome(self) -> Outcome:
        if self.ending.exit_code == EXIT_FAULT:
            return "fault"
        if self.ending.exit_code != EXIT_DONE:  # by the server, or by none at all
            return "refused"
        return "stopped" if self.ending.stopped else "finished"
