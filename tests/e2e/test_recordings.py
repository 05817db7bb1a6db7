"""Runs that are recorded while they go on, whatever happens to them, and played again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from conftest import MOVING
from processes import Program, RobotProgram, ServerProgram, alive, at_rest, wait_until

import rt_infer.recording
from rt_infer.recording.replay import replay
from rt_infer.robot.region import Phase

HOLD = ("--policy_type=hold",)


def replayed(path: Path) -> str:
    """What `rt-infer replay` says of a recording that it finds equal."""
    done = subprocess.run(
        [sys.executable, "-m", "rt_infer", "replay", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert re.fullmatch(r"replayed [\d ]+ cycles: every command equal, bit for bit\n", done.stdout)
    return done.stdout


def test_a_run_whose_server_dies_and_whose_process_is_stopped_is_played_again(
    tmp_path: Path,
    server: ServerProgram,
    start_robot: Callable[..., RobotProgram],
    started: list[Program],
) -> None:
    path = tmp_path / "run.rec"
    robot = start_robot(server.port, *MOVING, f"--record={path}")
    with robot.region() as region:
        robot.until_moving(region)
        server.signal(signal.SIGKILL)
        server.wait()
        resting = robot.until(region, "the arm rests", at_rest)
        started.append(ServerProgram(tmp_path, "again", server.port))
        robot.until_moving(region, after_chunk=resting.chunk_id)
        robot.signal(signal.SIGSTOP)
        resting = robot.until(region, "the arm rests", at_rest)
        robot.signal(signal.SIGCONT)
        robot.until_moving(region, after_chunk=resting.chunk_id)
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert f"recording: {path}" in robot.output
    told = robot.report["recording"]
    assert told == {"path": str(path), "bytes": path.stat().st_size, "ended": None}

    run = rt_infer.recording.open(path)
    assert run.cut is None
    assert run.done is not None
    assert run.done["exit_code"] == 0
    assert len(run.cycles) == robot.report["loop"]["cycles"]
    assert run.cycles["phase"][-1] == Phase.FINISHED
    assert len(set(run.cycles["epoch"])) >= 3  # the server's return, the heartbeat's
    assert len(run.chunks) >= 3
    np.testing.assert_array_equal(run.chunks[0].actions.shape, (50, 7))
    replayed(path)


def test_a_run_with_a_pause_and_a_reset_is_played_again(
    tmp_path: Path, server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    path = tmp_path / "run.rec"
    words = ("--aggregate_fn_name=crossfade", "--motion.box={z: [0.1, 1.1]}", "--motion.speed=0.8")
    robot = start_robot(server.port, *MOVING, *words, f"--record={path}")
    with robot.region() as region:
        robot.until_moving(region)
        for asking in (signal.SIGUSR1, signal.SIGUSR2):
            robot.signal(asking)
            resting = robot.until(region, "the arm rests", at_rest)
            if asking == signal.SIGUSR1:
                robot.signal(asking)
            robot.until_moving(region, after_chunk=resting.chunk_id)
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    run = rt_infer.recording.open(path)
    assert run.header["core"]["aggregate"] == "crossfade"
    assert set(run.cycles["request"]) == {0, 1, 2}
    assert len(set(run.cycles["epoch"])) >= 3
    replayed(path)


def test_a_run_in_which_cycles_are_lost_is_played_again(
    tmp_path: Path, server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    path = tmp_path / "run.rec"
    words = (*MOVING, f"--record={path}", "--robot.patient=false", "--rt.priority=0")
    robot = start_robot(server.port, *words)
    with robot.region() as region:
        robot.until(region, "it has begun", lambda now: now.cycle > 0)
        core = robot.core_pid
        for _ in range(40):
            if not alive(core):
                break
            os.kill(core, signal.SIGSTOP)
            time.sleep(0.004)
            os.kill(core, signal.SIGCONT)
            time.sleep(0.05)
    robot.signal(signal.SIGTERM)
    robot.wait()  # 5 where the machine lost 20 cycles in a row: the arm has stopped then
    run = rt_infer.recording.open(path)
    assert (run.cycles["elapsed_cycles"] > 1).any()
    assert replay(run) == (len(run.cycles), None, [])


def test_what_a_killed_process_has_recorded_can_be_read_and_played(
    tmp_path: Path, server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    path = tmp_path / "run.rec"
    robot = start_robot(server.port, *HOLD, f"--record={path}")
    with robot.region() as region:
        robot.until(region, "a second has passed", lambda now: now.cycle > 1000)
        core = robot.core_pid
        robot.signal(signal.SIGKILL)
        robot.wait()
        wait_until("the core is gone", lambda: not alive(core))
    run = rt_infer.recording.open(path)
    assert run.cut is not None
    assert len(run.cycles) > 500
    replayed(path)


def test_a_recording_that_cannot_be_written_is_told_before_the_arm_moves(
    tmp_path: Path, server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *HOLD, f"--record={tmp_path}/none/run.rec")
    assert robot.wait() == 2
    assert f"--record={tmp_path}/none/run.rec cannot be written: the folder" in robot.errors
    assert not robot.has_reported


def test_a_full_disk_ends_the_recording_and_not_the_run(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *HOLD, "--record=/dev/full", "--duration_s=1")
    assert robot.wait() == 0, robot.errors
    assert "The recording in /dev/full ended before the run: No space left" in robot.errors
    assert robot.report["outcome"] == "finished"
    assert "No space left" in robot.report["recording"]["ended"]
