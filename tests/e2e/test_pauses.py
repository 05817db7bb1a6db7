"""Pause, go on, reset: by signals, as scripts ask for them, at every moment of a run."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import MOVING
from processes import (
    Program,
    RobotProgram,
    ServerProgram,
    assert_sound_motion,
    at_rest,
    wait_until,
)

from rt_infer.robot.region import CoreRegion, CoreState, Phase

PAUSE, RESET = signal.SIGUSR1, signal.SIGUSR2
SLOW = ("--policy_type=python", "--pretrained_name_or_path=moving_policy:make_slow")


def paused(robot: RobotProgram) -> bool:
    """What the newest line of its output says."""
    lines = [line for line in robot.output.splitlines() if line.startswith("[")]
    return bool(lines) and "PAUSED" in lines[-1]


def assert_it_stays(
    robot: RobotProgram, region: CoreRegion, resting: CoreState, seconds: float
) -> None:
    later = robot.until(region, "time", lambda now: now.time_ns - resting.time_ns > seconds * 1e9)
    assert at_rest(later)
    np.testing.assert_array_equal(later.q_command, resting.q_command)


def stop(robot: RobotProgram) -> None:
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert_sound_motion(robot.report)


def test_a_paused_arm_rests_until_it_is_to_go_on_and_then_wants_a_new_observation(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        before = robot.until_moving(region)
        robot.signal(PAUSE)
        resting = robot.until(region, "the arm rests", at_rest)
        assert resting.epoch == before.epoch
        assert resting.steps_queued == 0.0
        wait_until("it is shown", lambda: paused(robot))
        # Longer than a link may be silent: it is kept alive meanwhile.
        assert_it_stays(robot, region, resting, 4.0)
        robot.signal(PAUSE)
        later = robot.until_moving(region, after_chunk=resting.chunk_id)
        assert later.epoch > resting.epoch
    stop(robot)
    steps = robot.report["steps"]
    assert (steps["pauses"], steps["resets"]) == (1, 0)
    assert 4.0 < steps["paused_s"] < robot.report["duration_s"]
    assert robot.report["link"]["reconnects"] == 0


def test_a_chunk_that_arrives_in_a_pause_moves_nothing(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *SLOW)
    with robot.region() as region:
        robot.until_moving(region)
        # Half a chunk is left when the next is asked for, and that takes the policy a second.
        robot.until(region, "a question is out", lambda now: 5 < now.steps_queued < 20)
        robot.signal(PAUSE)
        resting = robot.until(region, "the arm rests", at_rest)
        refused = robot.until(region, "the answer", lambda now: now.chunks_refused > 0)
        assert refused.last_refusal == "stopping"
        assert_it_stays(robot, region, resting, 2.0)
        robot.signal(PAUSE)
        robot.until_moving(region, after_chunk=resting.chunk_id)
    stop(robot)


def test_a_reset_rests_lets_the_policy_forget_and_begins_anew(
    tmp_path: Path,
    started: list[Program],
    start_robot: Callable[..., RobotProgram],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resets = tmp_path / "resets"
    monkeypatch.setenv("RESETS_FILE", str(resets))
    server = ServerProgram(tmp_path)
    started.append(server)
    remembering = "--pretrained_name_or_path=moving_policy:make_remembering"
    robot = start_robot(server.port, "--policy_type=python", remembering)
    with robot.region() as region:
        before = robot.until_moving(region)
        telemetry = region.telemetry()
        forgotten = len(resets.read_text().splitlines())
        robot.signal(RESET)
        later = robot.until_moving(region, after_chunk=before.chunk_id + 1)
        robot.until(region, "a new epoch", lambda now: now.epoch > before.epoch)
        later = robot.until_moving(region, after_chunk=later.chunk_id)
        records = telemetry.read()
    assert len(resets.read_text().splitlines()) == forgotten + 1
    # It braked, and rested, before the new epoch's first chunk was followed.
    first = int(np.argmax(records["epoch"] == later.epoch))
    before_it = records["phase"][(records["cycle"] > before.cycle)][: first + 1]
    braked = int(np.argmax(before_it == Phase.BRAKE))
    assert before_it[braked] == Phase.BRAKE
    assert (before_it[braked:] == Phase.HOLD).any()
    stop(robot)
    assert robot.report["steps"]["resets"] == 1
    assert robot.report["steps"]["pauses"] == 0
    assert robot.report["link"]["reconnects"] == 0


def test_before_the_policy_is_ready_wishes_are_kept(
    tmp_path: Path, started: list[Program], start_robot: Callable[..., RobotProgram]
) -> None:
    with socket.socket() as place:  # bound and not listening: nobody else gets it either
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
        robot = start_robot(port)
        with robot.region() as region:
            for number in (PAUSE, RESET, RESET):
                robot.signal(number)
            wait_until("it is shown", lambda: paused(robot))
            place.close()
            started.append(ServerProgram(tmp_path, "late", port))
            wait_until("it has connected", lambda: "connected" in robot.output)
            begin = region.state()
            assert begin is not None
            assert_it_stays(robot, region, begin, 1.5)
            robot.signal(PAUSE)
            robot.until_moving(region)
    stop(robot)
    assert robot.report["steps"]["resets"] == 1
    assert robot.report["steps"]["pauses"] == 1


def test_a_pause_and_a_reset_while_the_server_is_gone_are_kept_until_it_is_back(
    tmp_path: Path,
    server: ServerProgram,
    started: list[Program],
    start_robot: Callable[..., RobotProgram],
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        robot.until_moving(region)
        server.signal(signal.SIGKILL)
        server.wait()
        robot.signal(PAUSE)
        robot.signal(RESET)
        resting = robot.until(region, "the arm rests", at_rest)
        started.append(ServerProgram(tmp_path, "again", server.port))
        wait_until("it is back", lambda: "is back" in robot.output)
        assert_it_stays(robot, region, resting, 1.0)
        robot.signal(PAUSE)
        robot.until_moving(region, after_chunk=resting.chunk_id)
    stop(robot)
    assert robot.report["steps"]["resets"] == 1
    assert robot.report["link"]["reconnects"] == 1


def test_a_run_lasts_its_time_without_its_pauses(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *MOVING, "--duration_s=3")
    with robot.region() as region:
        robot.until_moving(region)
        robot.signal(PAUSE)
        resting = robot.until(region, "the arm rests", at_rest)
        assert_it_stays(robot, region, resting, 4.0)
        robot.signal(PAUSE)
        robot.until_moving(region, after_chunk=resting.chunk_id)
    assert robot.wait() == 0, robot.errors
    assert robot.report["outcome"] == "finished"
    assert robot.report["duration_s"] > 7.0


def test_many_signals_at_once_harm_nothing(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        robot.until_moving(region)
        for _ in range(25):
            robot.signal(PAUSE)
            robot.signal(RESET)
            time.sleep(0.013)  # out of step with the ticks
        last = region.state()
        assert last is not None
        told = len(robot.output.splitlines())
        wait_until("what came of it", lambda: len(robot.output.splitlines()) >= told + 2)
        if paused(robot):
            robot.signal(PAUSE)
        robot.until_moving(region, after_chunk=last.chunk_id)
    robot.signal(PAUSE)
    robot.signal(RESET)
    stop(robot)
