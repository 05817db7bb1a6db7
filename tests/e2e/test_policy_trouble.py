"""A policy that fails or is too slow: the arm rests, the user is told, the run goes on."""

from __future__ import annotations

from collections.abc import Callable

from processes import RobotProgram, ServerProgram, assert_sound_motion


def planted(name: str) -> tuple[str, str]:
    return "--policy_type=python", f"--pretrained_name_or_path=moving_policy:{name}"


def test_a_policy_that_fails_for_a_while_is_counted_and_the_connection_stays(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *planted("make_failing"), "--duration_s=6")
    assert robot.wait() == 0, robot.errors
    assert robot.report["chunks"]["errors"] == {"policy_failed": 3}
    assert robot.report["link"]["reconnects"] == 0
    assert robot.report["chunks"]["received"] > 2
    assert "server is back" not in robot.output
    assert robot.output.count("the gripper is upside down") == 1
    assert "The policy answers again." in robot.output
    assert "policy errors" in robot.output
    (last,) = [line for line in robot.errors.splitlines() if line.startswith("rt-infer: ")]
    assert "3 times" in last
    assert "the gripper is upside down" in last
    assert_sound_motion(robot.report)


def test_answers_that_come_too_late_are_told_once_with_what_to_do(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(
        server.port, *planted("make_slow"), "--max_age_s=0.5", "--duration_s=4", "--fps=30"
    )
    assert robot.wait() == 0, robot.errors
    assert robot.output.count("longer than --max_age_s=0.5") == 1
    assert robot.report["chunks"]["received"] >= 2
    assert robot.report["steps"]["executed"] == 0
    count = robot.report["chunks"]["refused"]
    assert f"{count} refused (age {count})" in robot.output
