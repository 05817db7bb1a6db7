"""A server in one process, robots in others, as a user would start them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import MOVING
from processes import Program, RobotProgram, ServerProgram, assert_sound_motion


def test_a_robot_runs_its_time_and_reports_every_key(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *MOVING, "--duration_s=4", "--fps=30")
    assert robot.wait() == 0, robot.errors
    report = robot.report
    assert report["schema"] == "rt-infer.run/1"
    assert (report["outcome"], report["fault"]) == ("finished", None)
    assert report["robot"] == {"type": "sim_fr3", "id": robot.robot_id}
    assert report["policy"] == {"type": "python", "path": "moving_policy:make"}
    assert set(report["steps"]) >= {"executed", "holds", "held_s"}
    assert set(report["chunks"]) >= {"received", "refused", "late_steps"}
    assert set(report["latency_ms"]) == {
        "capture",
        "encode",
        "network",
        "queue",
        "prepare",
        "infer",
        "finish",
        "splice",
        "total",
    }
    for stage in report["latency_ms"].values():
        assert set(stage) == {"p50", "p99", "max"}
        assert 0 <= stage["p50"] <= stage["p99"] <= stage["max"]
    assert report["latency_ms"]["total"]["p50"] > 0
    loop = report["loop"]
    for name in ("period_us", "response_us"):
        assert set(loop[name]) == {"p50", "p99", "p99_9", "max"}
    assert set(loop["scheduling"]) == {"policy", "priority", "cpu", "memory_locked"}
    assert report["link"]["transport"] == "tcp"
    assert report["link"]["reconnects"] == 0
    assert report["link"]["bytes_sent"] > 240 * 320 * 3 * 2 * report["chunks"]["received"]
    assert set(report["task"]) == {"targets", "reached"}
    assert report["steps"]["executed"] > 60
    assert report["steps"]["holds"] == 0
    assert report["chunks"]["refused"] == 0
    assert report["motion"]["velocity_ratio_max"] > 0.05
    assert report["motion"]["limiter_interventions"] == 0
    assert_sound_motion(report)
    assert "outcome" in robot.output


def test_two_robots_share_one_server(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robots = [start_robot(server.port, *MOVING, "--duration_s=4") for _ in range(2)]
    for robot in robots:
        assert robot.wait() == 0, robot.errors
        assert robot.report["steps"]["executed"] > 30
        assert robot.report["chunks"]["received"] >= 3
        assert_sound_motion(robot.report)
    assert len(server.workers) <= 1  # one policy, one worker


def test_a_unix_socket_and_a_token_work_from_a_file_of_flags(
    tmp_path: Path, start_robot: Callable[..., RobotProgram], started: list[Program]
) -> None:
    token, path, flags = tmp_path / "token", tmp_path / "s", tmp_path / "run.yaml"
    token.write_text("a long and random secret\n")
    server = ServerProgram(tmp_path, words=(f"--unix={path}", f"--token_file={token}"))
    started.append(server)
    flags.write_text(f"token_file: {token}\npolicy_type: hold\nduration_s: 1\n")
    robot = start_robot(server.port, f"--config_path={flags}", f"--server_address=unix://{path}")
    assert robot.wait() == 0, robot.errors
    assert robot.report["link"]["transport"] == "unix"
    assert robot.report["chunks"]["received"] >= 1
    stranger = start_robot(server.port, "--policy_type=hold")
    assert stranger.wait() == 4
    assert "token" in stranger.errors


def test_a_slower_speed_follows_the_same_actions_more_slowly(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *MOVING, "--duration_s=4", "--motion.speed=0.25")
    assert robot.wait() == 0, robot.errors
    assert 0 < robot.report["steps"]["executed"] <= 0.25 * 30 * robot.report["duration_s"]
    assert_sound_motion(robot.report)


def test_the_shipped_policy_reaches_markers_that_only_the_cameras_see(
    server: ServerProgram, start_robot: Callable[..., RobotProgram], tmp_path: Path
) -> None:
    plot = tmp_path / "run.png"
    robot = start_robot(
        server.port,
        "--policy_type=reach",
        "--robot.targets=2",
        "--robot.target_timeout_s=8",
        f"--plot={plot}",
    )
    assert robot.wait() == 0, robot.errors
    report = robot.report
    assert report["task"] == {"targets": 2, "reached": 2}
    assert report["motion"]["limiter_interventions"] == 0
    assert_sound_motion(report)
    assert plot.read_bytes().startswith(b"\x89PNG")
