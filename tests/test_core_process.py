"""The core as a process of its own: real processes, real time, no figure about speed."""

from __future__ import annotations

import itertools
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from rt_infer.robot.core_process import CoreConfig, CoreFailed, CoreProcess
from rt_infer.robot.region import CoreRegion, CoreState, Phase, RegionBusy

SHM = Path("/dev/shm")
FPS = 30.0
_serial = itertools.count()


@pytest.fixture
def robot_id() -> Iterator[str]:
    robot = f"test-core-{os.getpid()}-{next(_serial)}"
    yield robot
    for left in SHM.glob(f"rt-infer.{robot}*"):
        left.unlink()


class Robot:
    """A region with its core, and a hand that keeps the heart beating while a test waits."""

    def __init__(self, region: CoreRegion, core: CoreProcess) -> None:
        self.region = region
        self.core = core
        self._chunks = itertools.count(1)

    @property
    def state(self) -> CoreState:
        state = self.region.state()
        assert state is not None
        return state

    def until(self, holds: Callable[[], bool], *, beating: bool = True) -> None:
        while not holds():
            if beating:
                self.core.heartbeat()
            time.sleep(0.005)

    def until_cycles_have_passed(self, cycles: int) -> None:
        goal = self.state.cycle + cycles
        self.until(lambda: self.state.cycle >= goal)

    def push(
        self, shift_rad: float, *, steps: int = 30, epoch: int | None = None
    ) -> npt.NDArray[np.float64]:
        """A chunk from the latest state that moves joint 1 by so much; returns the last target."""
        state = self.state
        actions = np.tile(state.q_command, (steps, 1))
        actions[:, 0] += shift_rad * np.linspace(0.0, 1.0, steps)
        assert self.region.push_chunk(
            actions,
            epoch=state.epoch if epoch is None else epoch,
            chunk_id=next(self._chunks),
            capture_ns=time.monotonic_ns(),
            origin_step=state.policy_step,
            received_ns=time.monotonic_ns(),
        )
        return actions[-1]

    def status_at_end(self) -> int:
        self.until(lambda: self.core.poll() is not None)
        status = self.core.poll()
        assert status is not None
        return status


@contextmanager
def robot(robot_id: str, **config: object) -> Iterator[Robot]:
    options = {"arm": {"type": "sim_fr3"}, "fps": FPS, **config}
    with ExitStack() as parts:
        region = parts.enter_context(CoreRegion.create(robot_id, fps=FPS))
        core = parts.enter_context(CoreProcess.start(region, CoreConfig(**options)))  # type: ignore[arg-type]
        yield Robot(region, core)


# ---------------------------------------------------------------- in order


def test_it_holds_the_arm_still_until_a_chunk_comes(robot_id: str) -> None:
    with robot(robot_id) as r:
        telemetry = r.region.telemetry()
        r.until_cycles_have_passed(200)
        assert r.state.phase == Phase.HOLD
        assert r.state.policy_step == 0.0
        commands = telemetry.read()["q_command"]
        assert len(commands) >= 100
        assert (commands == commands[0]).all()


def test_it_follows_a_chunk_to_its_last_target_and_rests_there(robot_id: str) -> None:
    with robot(robot_id) as r:
        telemetry = r.region.telemetry()
        target = r.push(0.2)
        r.until(lambda: r.state.chunks_admitted == 1 and r.state.phase == Phase.FOLLOW)
        r.until(lambda: r.state.phase == Phase.HOLD)
        assert r.state.q_command == pytest.approx(target, abs=1e-6)
        stats = r.region.stats()
        assert (stats.splices, stats.holds, stats.limiter_interventions) == (1, 1, 0)
        assert 0.0 < stats.velocity_ratio_max <= 1.0
        assert 0.0 < stats.jerk_ratio_max <= 1.0
        records = telemetry.read()
        assert telemetry.lost == 0
        assert set(records["phase"]) == {Phase.HOLD, Phase.FOLLOW}
        assert (np.diff(records["cycle"]) == records["elapsed_cycles"][1:]).all()


def test_finish_brings_it_to_rest_on_its_path_and_ends_the_motion(robot_id: str) -> None:
    with robot(robot_id) as r:
        r.push(0.5, steps=60)
        r.until(lambda: r.state.policy_step > 10)
        r.core.finish()
        assert r.status_at_end() == 0
        assert r.state.phase == Phase.FINISHED
        assert 10 < r.state.policy_step < 59
        stats = r.region.stats()
        assert (stats.outcome, stats.reflexes) == ("finished", ())
        assert stats.cycles == stats.response.count


def test_leaving_the_with_block_ends_it_in_order_and_takes_the_name_away(robot_id: str) -> None:
    with robot(robot_id) as r:
        r.push(0.5, steps=60)
        r.until(lambda: r.state.policy_step > 1)
    assert r.core.poll() == 0
    assert r.region.stats().outcome == "finished"
    assert list(SHM.glob(f"rt-infer.{robot_id}*")) == []


# ---------------------------------------------------------------- epochs


def test_a_chunk_of_an_old_epoch_moves_nothing(robot_id: str) -> None:
    with robot(robot_id) as r:
        old = r.state.epoch
        assert r.region.new_epoch()
        r.until(lambda: r.state.epoch == old + 1)
        before = r.state.q_command
        r.push(0.2, epoch=old)
        r.until(lambda: r.state.chunks_refused == 1)
        r.until_cycles_have_passed(100)
        assert r.state.last_refusal == "epoch"
        assert r.region.stats().refused["epoch"] == 1
        assert (r.state.q_command == before).all()
        r.push(0.2)
        r.until(lambda: r.state.phase == Phase.FOLLOW)


def test_what_was_queued_before_the_core_came_is_never_executed(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=FPS) as region:
        assert region.push_chunk(
            np.ones((50, 7)), epoch=1, chunk_id=1, capture_ns=time.monotonic_ns(),
            origin_step=0.0, received_ns=time.monotonic_ns(),
        )  # fmt: skip
        with CoreProcess.start(region, CoreConfig(arm={"type": "sim_fr3"})) as core:
            r = Robot(region, core)
            r.until_cycles_have_passed(100)
            assert region.stats().chunks_received == 0
            assert r.state.phase == Phase.HOLD


# ---------------------------------------------------------------- a network process that falters


def test_a_silent_heart_makes_it_rest_and_a_new_beat_opens_a_new_epoch(robot_id: str) -> None:
    with robot(robot_id) as r:
        epoch = r.state.epoch
        r.push(0.8, steps=90)
        r.until(lambda: r.state.policy_step > 5)
        r.until(lambda: r.state.phase == Phase.HOLD, beating=False)
        assert r.state.policy_step < 80  # it did not just follow to the end
        assert r.state.epoch == epoch
        assert r.core.poll() is None

        r.until(lambda: r.state.epoch == epoch + 1)
        rested = r.state.q_command
        r.until_cycles_have_passed(50)
        assert (r.state.q_command == rested).all()
        r.push(0.1)
        r.until(lambda: r.state.phase == Phase.FOLLOW)
        assert r.region.stats().reflexes == ()


NETWORK_PROCESS = """
import itertools, sys, time
import numpy as np
from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.region import CoreRegion

region = CoreRegion.create(sys.argv[1], 30.0)
core = CoreProcess.start(region, CoreConfig(arm={"type": "sim_fr3"}))
state = region.state()
actions = np.tile(state.q_command, (300, 1))
actions[:, 0] += np.linspace(0.0, 1.0, 300)
region.push_chunk(actions, epoch=state.epoch, chunk_id=1, capture_ns=time.monotonic_ns(),
                  origin_step=state.policy_step, received_ns=time.monotonic_ns())
print(core.pid, flush=True)
while True:
    core.heartbeat()
    time.sleep(0.02)
"""


@contextmanager
def network_process(robot_id: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that drives the robot, and its core's pid (as a pidfd)."""
    process = subprocess.Popen(
        [sys.executable, "-c", NETWORK_PROCESS, robot_id], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    core_fd = os.pidfd_open(int(process.stdout.readline()))
    try:
        yield process, core_fd
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(core_fd)


def wait_for_end(pidfd: int) -> None:
    assert select.select([pidfd], [], [], 60.0)[0], "the core is still there"


def test_if_the_network_process_is_killed_the_core_rests_ends_the_motion_and_exits(
    robot_id: str,
) -> None:
    with network_process(robot_id) as (process, core_fd), CoreRegion.open(robot_id) as watcher:
        telemetry = watcher.telemetry()
        while (state := watcher.state()) is None or state.policy_step < 5:
            time.sleep(0.01)
        process.kill()
        wait_for_end(core_fd)
        state = watcher.state()
        assert state is not None
        assert state.phase == Phase.FINISHED
        assert state.policy_step < 290  # rested on its path, long before the end of it
        stats = watcher.stats()
        assert (stats.outcome, stats.reflexes, stats.limiter_interventions) == ("finished", (), 0)
        assert telemetry.read()["policy_rate"][-1] == 0.0
        with CoreRegion.create(robot_id, fps=FPS) as region:
            assert region.generation == watcher.generation + 1
    assert list(SHM.glob(f"rt-infer.{robot_id}*")) == []


def test_a_robot_is_not_free_while_the_core_of_a_killed_network_process_lives(
    robot_id: str,
) -> None:
    with network_process(robot_id) as (process, core_fd):
        signal.pidfd_send_signal(core_fd, signal.SIGSTOP)
        process.kill()
        process.wait()
        try:
            with pytest.raises(RegionBusy, match=rf"process {process.pid}\b"):
                CoreRegion.create(robot_id, fps=FPS, wait_s=0.2)
        finally:
            signal.pidfd_send_signal(core_fd, signal.SIGCONT)
        with CoreRegion.create(robot_id, fps=FPS, wait_s=60.0) as region:
            assert region.generation == 2


# ---------------------------------------------------------------- faults and refusals


def test_an_arm_that_stops_by_itself_ends_the_core_with_5_and_the_name_of_the_reflex(
    robot_id: str,
) -> None:
    name = "joint_motion_generator_velocity_discontinuity"
    faults = {"fail_at_cycle": 300, "fail_with": name}
    with robot(robot_id, arm={"type": "sim_fr3", "faults": faults}) as r:
        assert r.status_at_end() == 5
        assert (r.state.phase, r.state.reflex) == (Phase.FAULT, name)
        stats = r.region.stats()
        assert stats.outcome == "fault"
        assert [reflex.name for reflex in stats.reflexes] == [name]
        assert stats.reflexes[0].cycle >= 300


def test_a_core_that_is_killed_tells_by_which_signal(robot_id: str) -> None:
    with robot(robot_id) as r:
        os.kill(r.core.pid, signal.SIGKILL)
        assert r.status_at_end() == -signal.SIGKILL
        r.core.heartbeat()  # nobody listens any more, and nothing happens
        assert r.region.stats().outcome is None
    assert list(SHM.glob(f"rt-infer.{robot_id}*")) == []


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"arm": {"type": "toaster"}}, "no arm is called toaster"),
        ({"arm": {"type": "sim_fr3", "colour": "red"}}, "knows no colour"),
        ({"arm": {"type": "sim_fr3", "start_pose_rad": [9.0] * 7}}, "start pose of joint 1"),
        ({"speed": 1.5}, "speed must be"),
        ({"fps": float("nan")}, "fps must be"),
        ({"aggregate": "median"}, "aggregate is one of"),
        ({"rt_priority": 100}, "rt_priority must be"),
        ({"rt_cpu": 4000, "rt_require": True}, "run with --rt.require=false"),
    ],
)
def test_a_core_that_cannot_start_says_why_in_one_sentence(
    robot_id: str, config: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CoreFailed, match=sentence):
        with robot(robot_id, **config):
            pass
    assert list(SHM.glob(f"rt-infer.{robot_id}*")) == []


def test_what_the_machine_refuses_is_told_and_the_core_runs_without(robot_id: str) -> None:
    with robot(robot_id, rt_cpu=4000) as r:
        refused = [line for line in r.core.new_log_lines() if "CPU 4000" in line]
        assert len(refused) == 1
        assert "--rt.cpu" in refused[0]
        assert r.core.new_log_lines() == []
        assert r.region.stats().cpu is None
        assert r.state.phase == Phase.HOLD


def test_scheduling_is_reported_as_the_kernel_has_it(robot_id: str) -> None:
    cpu = min(os.sched_getaffinity(0))
    with robot(robot_id, rt_cpu=cpu, rt_priority=70) as r:
        stats = r.region.stats()
        assert os.sched_getaffinity(r.core.pid) == {cpu}
        assert stats.cpu == cpu
        policy = os.sched_getscheduler(r.core.pid) & ~os.SCHED_RESET_ON_FORK
        assert stats.scheduling_policy == {os.SCHED_FIFO: "fifo", os.SCHED_OTHER: "other"}[policy]
        assert stats.scheduling_priority == os.sched_getparam(r.core.pid).sched_priority
        if policy == os.SCHED_OTHER:  # this machine does not give it: then it said so
            assert any("SCHED_FIFO 70" in line for line in r.core.new_log_lines())


# ---------------------------------------------------------------- a process of its own


def test_it_leads_its_own_session_and_only_sigterm_ends_it(robot_id: str) -> None:
    with robot(robot_id) as r:
        assert os.getsid(r.core.pid) == r.core.pid
        for deaf_to in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            os.kill(r.core.pid, deaf_to)
        r.until_cycles_have_passed(100)
        r.push(0.5, steps=60)
        r.until(lambda: r.state.policy_step > 5)
        os.kill(r.core.pid, signal.SIGTERM)
        assert r.status_at_end() == 0
        assert r.state.phase == Phase.FINISHED
        assert r.state.policy_step < 59


def test_it_inherits_nothing_but_the_region_the_pipe_and_its_log(robot_id: str) -> None:
    with open(os.devnull) as ours, robot(robot_id) as r:
        os.set_inheritable(ours.fileno(), True)
        process = Path(f"/proc/{r.core.pid}")
        held = {os.readlink(fd) for fd in (process / "fd").iterdir()}
        kinds = {name.split(":")[0].split(".")[0].split("[")[0] for name in held}
        allowed = {"/dev/null", "/dev/shm/rt-infer", "pipe", "/memfd", "anon_inode"}
        assert kinds <= allowed | {"/dev/cpu_dma_latency"}
        assert len(list((process / "task").iterdir())) == 2  # the loop and its watch
        maps = (process / "maps").read_text()
        assert "_core" in maps
        assert "numpy" not in maps
        assert "torch" not in maps


def test_a_running_loop_takes_no_page_fault(robot_id: str) -> None:
    with robot(robot_id) as r:
        r.push(0.3, steps=60)
        r.until(lambda: r.state.policy_step > 20)
        r.push(-0.3)
        r.until(lambda: r.state.phase == Phase.HOLD)
        r.core.finish()
        assert r.status_at_end() == 0
        stats = r.region.stats()
        assert stats.major_faults == 0
        if stats.memory_locked:
            assert stats.minor_faults == 0
