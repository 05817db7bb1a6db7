"""Each part is stopped or killed in the middle of a motion, and the arm is unharmed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
from conftest import MOVING
from processes import (
    Program,
    RobotProgram,
    ServerProgram,
    alive,
    assert_sound_motion,
    at_rest,
    wait_until,
)

from rt_infer.robot.region import Phase
from rt_infer.robots.fr3_limits import ratios


def test_a_killed_server_means_rest_and_its_return_means_motion(
    tmp_path: Path,
    server: ServerProgram,
    start_robot: Callable[..., RobotProgram],
    started: list[Program],
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        before = robot.until_moving(region)
        server.signal(signal.SIGKILL)
        server.wait()
        resting = robot.until(region, "the arm rests", at_rest)
        assert resting.epoch == before.epoch  # it followed what it had, to the end
        again = ServerProgram(tmp_path, "again", server.port)
        started.append(again)
        later = robot.until_moving(region, after_chunk=resting.chunk_id)
        assert later.epoch > before.epoch
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    report = robot.report
    assert report["link"]["reconnects"] >= 1
    assert report["steps"]["holds"] >= 1
    assert report["steps"]["held_s"] > 0
    assert_sound_motion(report)
    assert "server is back" in robot.output


def test_a_killed_worker_is_replaced_and_the_motion_goes_on(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        before = robot.until_moving(region)
        (worker,) = server.workers
        os.kill(worker, signal.SIGKILL)
        robot.until_moving(region, after_chunk=before.chunk_id + 1)
    assert server.process.poll() is None
    assert server.workers not in ([], [worker])
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert robot.report["link"]["reconnects"] >= 1
    assert_sound_motion(robot.report)


def test_a_stopped_network_process_means_rest_and_its_return_means_motion(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        before = robot.until_moving(region)
        began_ns = before.time_ns
        robot.signal(signal.SIGSTOP)
        resting = robot.until(region, "the arm rests", at_rest)
        # With chunks still queued: it is the missing heartbeat that brought it to rest.
        held = robot.until(region, "three seconds", lambda now: now.time_ns - began_ns > 3e9)
        assert at_rest(held)
        np.testing.assert_array_equal(held.q_command, resting.q_command)
        robot.signal(signal.SIGCONT)
        later = robot.until_moving(region, after_chunk=resting.chunk_id)
        assert later.epoch > resting.epoch
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert_sound_motion(robot.report)


def test_without_its_network_process_the_core_brings_the_arm_to_rest_and_exits(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        telemetry = region.telemetry()
        robot.until_moving(region)
        core = robot.core_pid
        robot.signal(signal.SIGKILL)
        robot.wait()
        wait_until("the core is gone", lambda: not alive(core))
        stats = region.stats()
        records = telemetry.read()
    assert stats.outcome == "finished"
    assert stats.reflexes == ()
    assert records["phase"][-1] == Phase.FINISHED
    whole = ratios(records["q_command"], records["cycle"])
    for used in whole:
        assert np.nanmax(used) <= 1.0
    assert np.nanmax(whole.velocity[-2:]) < 1e-6

    next_run = start_robot(server.port, *MOVING, "--duration_s=1", robot_id=robot.robot_id)
    assert next_run.wait() == 0, next_run.errors
    left = [name for name in os.listdir("/dev/shm") if robot.robot_id in name]
    assert left == []


def test_a_killed_core_is_noticed_and_told(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        robot.until_moving(region)
        os.kill(robot.core_pid, signal.SIGKILL)
    assert robot.wait() == 5
    assert "killed by SIGKILL" in robot.errors
    assert "Traceback" not in robot.errors
    assert robot.report["outcome"] == "fault"
    assert "SIGKILL" in robot.report["fault"]
    assert not [name for name in os.listdir("/dev/shm") if robot.robot_id in name]


def test_a_core_that_somebody_else_ends_rests_first_and_the_run_says_so(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        robot.until_moving(region)
        os.kill(robot.core_pid, signal.SIGTERM)
    assert robot.wait() == 5
    assert "by someone else" in robot.errors
    assert_sound_motion(robot.report)
