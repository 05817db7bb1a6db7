"""The ticks of a run: heartbeat, core, uplink, telemetry, display, and the reasons to end.

The main thread does this, 20 times a second. Signals and keys only leave wishes (wishes.py) that
the next tick sees; as long as the arm is to stand still the heartbeats say so. A standstill of this
process (SIGSTOP, a suspended machine) is not caught up: the core has rested meanwhile and goes on
when heartbeats come again. `show` and `say` are called between heartbeats and must not wait for
anything, a terminal least of all.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rt_infer.grippers.driver import GripperDriver
from rt_infer.robot.core_process import HEARTBEAT_PERIOD_S, CoreProcess
from rt_infer.robot.keys import Keys
from rt_infer.robot.recorder import Recorder
from rt_infer.robot.region import CoreRegion, CoreState
from rt_infer.robot.result import EXIT_DONE, EXIT_FAULT, Ending
from rt_infer.robot.statistics import RunStatistics
from rt_infer.robot.timings import LinkCounts, Timings
from rt_infer.robot.uplink import Uplink
from rt_infer.robot.wishes import Wishes
from rt_infer.robots.registry import Task

REST_TIMEOUT_S = 15.0  # the core needs far less to bring any motion to rest


class Snapshot(NamedTuple):
    """What a display may show of a run, once a tick."""

    elapsed_s: float
    state: CoreState | None
    stats: RunStatistics
    timings: Timings
    link: LinkCounts
    link_status: str
    actions_per_chunk: int
    task: dict[str, int] | None
    doing: str | None = None  # instead of the core's phase: "PAUSED", "RESET", "TO START"
    keys: bool = False  # there is a terminal whose keys are heard


class Supervisor:
    """The ticks of a run whose parts are all there."""

    def __init__(
        self,
        region: CoreRegion,
        core: CoreProcess,
        uplink: Uplink,
        recorder: Recorder,
        task: Task | None,
        wishes: Wishes,
        keys: Keys | None,
        *,
        gripper: GripperDriver | None,
        duration_s: float | None,
        actions_per_chunk: int,
        show: Callable[[Snapshot], None],
        say: Callable[[str], None],
    ) -> None:
        self._region = region
        self._core = core
        self._uplink = uplink
        self._recorder = recorder
        self._task = task
        self._wishes = wishes
        self._keys = keys
        self._paused_before_s = 0.0  # before the policy was ready
        self._gripper = gripper
        self._duration_s = duration_s
        self._actions_per_chunk = actions_per_chunk
        self._show = show
        self._say = say
        self._began_s = time.monotonic()

    def until_the_end(self) -> Ending:
        """Tick until there is a reason to end."""
        for _ in self._ticks():
            status = self._core.poll()
            if status is not None:
                return self._core_ended(status)
            if self._uplink.ending is not None:
                return self._uplink.ending
            if self._gripper is not None and self._gripper.trouble is not None:
                return Ending(EXIT_FAULT, self._gripper.trouble)
            if self._wishes.stopped_by is not None:
                return Ending(EXIT_DONE, f"Stopped by {self._wishes.stopped_by}.", stopped=True)
            if self._task is not None and self._task.done:
                return Ending(EXIT_DONE)
            if self._time_is_up():
                return Ending(EXIT_DONE)
        raise AssertionError("the ticks never end")

    def to_rest(self, ending: Ending) -> Ending:
        """Let the core bring the arm to rest and end the motion; a fault on the way counts."""
        self._core.finish()
        deadline_s = time.monotonic() + REST_TIMEOUT_S
        for _ in self._ticks():
            status = self._core.poll()
            if status is not None:
                self._recorder.drain()
                told = status == 0 or ending.exit_code == EXIT_FAULT
                return ending if told else self._core_ended(status)
            if time.monotonic() > deadline_s:
                return Ending(
                    EXIT_FAULT,
                    f"The core process did not bring the arm to rest within {REST_TIMEOUT_S:g} s; "
                    "stop the robot by its own means.",
                )
        raise AssertionError("the ticks never end")

    def _time_is_up(self) -> bool:
        """Whether the run has lasted its time; pauses do not count."""
        if self._uplink.ready_ns is None or self._duration_s is None:
            self._paused_before_s = self._wishes.paused_s
            return False
        ready_s = (time.monotonic_ns() - self._uplink.ready_ns) / 1e9
        return ready_s - (self._wishes.paused_s - self._paused_before_s) >= self._duration_s

    def _ticks(self) -> Iterator[None]:
        due_s = time.monotonic()
        while True:
            self._beat()
            self._recorder.drain(paused=self._wishes.paused)
            for sentence in self._core.new_log_lines():
                self._say(sentence)
            self._show(self._snapshot())
            yield
            now_s = time.monotonic()
            due_s = max(due_s + HEARTBEAT_PERIOD_S, now_s)
            time.sleep(due_s - now_s)

    def _beat(self) -> None:
        if self._keys is not None:
            self._keys.poll()
        stand_still = self._wishes.stand_still
        self._core.heartbeat(paused=stand_still)
        self._wishes.told(stand_still, time.monotonic())

    def _doing(self) -> str | None:
        if self._wishes.paused:
            return "PAUSED"
        if self._wishes.resetting:
            return "RESET"
        return "TO START" if self._uplink.supply.approach.under_way else None

    def _snapshot(self) -> Snapshot:
        return Snapshot(
            elapsed_s=time.monotonic() - self._began_s,
            state=self._region.state(),
            stats=self._region.stats(),
            timings=self._uplink.supply.intake.timings,
            link=self._uplink.supply.counts,
            link_status=self._uplink.status,
            actions_per_chunk=self._actions_per_chunk,
            task=self._task.score() if self._task else None,
            doing=self._doing(),
            keys=self._keys is not None and self._keys.heard,
        )

    def _core_ended(self, status: int) -> Ending:
        """The core is gone although nobody asked it to go."""
        if status < 0:
            name = signal.Signals(-status).name
            return Ending(
                EXIT_FAULT,
                f"The core process was killed by {name}: the arm is without commands and stops by "
                "its own rules; find out who did that, then start again.",
            )
        if status == 0:
            return Ending(
                EXIT_FAULT,
                "The core process was told to end by someone else and has brought the arm to rest; "
                "find out who did that, then start again.",
            )
        reflexes = self._region.stats().reflexes
        reason = reflexes[-1].name if reflexes else f"core exit status {status}"
        return Ending(
            EXIT_FAULT,
            f"The arm stopped by itself ({reason}); clear the cause at the robot and start again.",
        )
