"""The core as a process of its own: real processes, real time, no figure about speed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from core_rig import FPS, SHM, Robot, robot, robot_id

from rt_infer.robot.chunks import AskRule
from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.region import CoreRegion, CoreState, Phase, RegionBusy

__all__ = ["robot_id"]  # a fixture


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


def test_one_admitted_chunk_leads_to_one_question(robot_id: str) -> None:
    """Every state that is told, from the push on, is shown to the rule that asks."""
    with robot(robot_id) as r:
        r.until_cycles_have_passed(10)
        for shift_rad in (0.1, -0.1, 0.1):  # from rest, and twice in motion
            rule = AskRule(actions_per_chunk=30, threshold=0.5, fps=FPS)
            rule.asked()
            rule.pushed(judged(r.state))
            r.push(shift_rad)
            seen = r.state
            while not rule.due(steps_queued=seen.steps_queued, judged=judged(seen)):
                r.core.heartbeat()
                seen = r.state
            assert 10.0 < seen.steps_queued <= 15.0
            assert seen.chunks_refused == 0


def judged(state: CoreState) -> int:
    return state.chunks_admitted + state.chunks_refused


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
from rt_infer.robot.chunks import AskRule
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
