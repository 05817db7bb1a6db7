"""What the gripper is told, and when: only while the arm follows, and never of an old epoch."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from rt_infer import _core
from rt_infer.robot.region import CoreState, Phase
from rt_infer.robot.tools import GAP_NS, ToolWatch

MS = 1_000_000


def state(phase: Phase, *tool: float, epoch: int = 1, time_ns: int = 0) -> CoreState:
    return CoreState(
        cycle=0,
        time_ns=time_ns,
        policy_step=0.0,
        policy_rate=0.0,
        steps_queued=0.0,
        epoch=epoch,
        epoch_since_ns=0,
        phase=phase,
        reflex=None,
        last_refusal=None,
        chunk_id=1,
        chunks_admitted=1,
        chunks_refused=0,
        start_distance_rad=0.0,
        q=np.zeros(7),
        dq=np.zeros(7),
        q_command=np.zeros(7),
        tool=np.array(tool),
    )


class Bench:
    """A core's state that the test sets, and a tool that writes down what it is told."""

    def __init__(self) -> None:
        self.now: CoreState | None = None
        self.told: list[float] = []
        self.watch = ToolWatch(self, self)

    def state(self) -> CoreState | None:
        return self.now

    def command(self, value: float) -> None:
        self.told.append(value)

    def look(self, *states: CoreState | None) -> list[float]:
        """What the tool is told in the course of these states."""
        self.told.clear()
        for self.now in states:
            self.watch.look()
        return list(self.told)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nothing_is_told_before_a_step_has_come(bench: Bench) -> None:
    assert bench.look(None, state(Phase.STARTING), state(Phase.HOLD), state(Phase.FOLLOW)) == []


def test_while_the_arm_follows_the_value_in_force_is_told(bench: Bench) -> None:
    assert bench.look(state(Phase.FOLLOW, 1.0), state(Phase.FOLLOW, 0.25)) == [1.0, 0.25]


@pytest.mark.parametrize("phase", [Phase.BRAKE, Phase.FINISHED, Phase.FAULT, Phase.HOLD])
def test_an_arm_that_does_not_follow_moves_no_gripper(bench: Bench, phase: Phase) -> None:
    assert bench.look(state(phase, 1.0)) == []
    assert bench.look(state(Phase.FOLLOW, 0.0), state(Phase.BRAKE, 0.0), state(phase, 1.0)) == [0.0]


def test_the_last_value_of_a_path_is_told_although_the_arm_is_already_at_rest(bench: Bench) -> None:
    last = state(Phase.HOLD, 0.0, time_ns=5 * MS)
    assert bench.look(state(Phase.FOLLOW, 1.0), last) == [1.0, 0.0]
    assert bench.look(last) == []


def test_what_came_into_force_while_nobody_looked_is_not_caught_up_on(bench: Bench) -> None:
    late = state(Phase.HOLD, 0.0, time_ns=GAP_NS + 1)
    assert bench.look(state(Phase.FOLLOW, 1.0), late) == [1.0]


def test_a_rest_in_a_new_epoch_tells_nothing(bench: Bench) -> None:
    renewed = state(Phase.HOLD, 0.0, epoch=2, time_ns=5 * MS)
    assert bench.look(state(Phase.FOLLOW, 1.0), renewed) == [1.0]


def test_the_thread_looks_until_it_is_stopped(bench: Bench) -> None:
    bench.now = state(Phase.FOLLOW, 0.5)
    bench.watch.start()
    while len(bench.told) < 3:
        time.sleep(0.001)
    bench.watch.stop()
    assert set(bench.told) == {0.5}


def test_a_watch_that_was_never_started_can_be_stopped(bench: Bench) -> None:
    bench.watch.stop()


def test_in_a_run_every_value_is_told_once_its_step_has_come_and_not_before(bench: Bench) -> None:
    """A run of the stepper in virtual time, looked at every 5 ms as the thread does."""
    actions = np.zeros((30, 8))
    actions[:, :7] = run_start()
    actions[:, 0] += 0.1 * (1 - np.cos(np.linspace(0, np.pi, 30)))
    actions[:, 7] = np.where(np.arange(30) < 10, 1.0, 0.0)
    actions[20:, 7] = 0.5
    run = simulate(2500, [(100, actions, None, 99, None)])
    steps: dict[float, float] = {}  # value to the policy's step when it was first told
    for row in range(0, len(run["phase"]), 5):
        bench.now = replayed(run, row)
        bench.watch.look()
        for value in bench.told:
            steps.setdefault(value, float(run["policy_step"][row]))
        bench.told.clear()
    assert list(steps) == [1.0, 0.0, 0.5]
    five_ms = 0.005 * 30
    assert 10.0 <= steps[0.0] <= 10.0 + five_ms
    assert 20.0 <= steps[0.5] <= 20.0 + five_ms


def test_a_new_epoch_in_the_middle_of_a_motion_tells_nothing_more(bench: Bench) -> None:
    actions = np.zeros((60, 8))
    actions[:, :7] = run_start()
    actions[:, 0] += 0.4 * (1 - np.cos(np.linspace(0, np.pi, 60)))
    actions[:, 7] = np.where(np.arange(60) % 2, 1.0, 0.0)  # open, shut, open at every step
    run = simulate(3000, [(100, actions, None, 99, None)], new_epochs=[1000])
    epoch = run["epoch"]
    told = []
    for row in range(0, len(epoch), 5):
        bench.now = replayed(run, row)
        bench.watch.look()
        told += [int(epoch[row])] * len(bench.told)
        bench.told.clear()
    assert epoch[-1] > epoch[0]
    assert set(told) == {int(epoch[0])}


def run_start() -> Any:
    return simulate(2, [])["q"][0]


def simulate(cycles: int, chunks: list[Any], new_epochs: list[int] | None = None) -> dict[str, Any]:
    config = {"fps": 30.0, "speed": 1.0, "max_age_s": 2.0, "max_start_distance_rad": 0.5}
    return _core.simulate(config, cycles, chunks, new_epochs=new_epochs or [])


def replayed(run: dict[str, Any], row: int) -> CoreState:
    """The state as the core would have published it in that cycle."""
    tool = run["tool"][row][: run["tool_values"][row]]
    phase = Phase(int(run["phase"][row]))
    return state(phase, *tool, epoch=int(run["epoch"][row]), time_ns=int(run["time_ns"][row]))
