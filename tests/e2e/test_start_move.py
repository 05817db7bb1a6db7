"""--start=move: a policy that begins far away is gone to slowly, and then followed."""

from __future__ import annotations

import signal
from collections.abc import Callable

import numpy as np
import pytest
from moving_policy import START
from processes import RobotProgram, ServerProgram, assert_sound_motion, at_rest

from rt_infer.robot.region import Phase

FAR = ("--policy_type=python", "--pretrained_name_or_path=moving_policy:make_far_start")
NEVER_THERE = ("--policy_type=python", "--pretrained_name_or_path=moving_policy:make_far_away")
IN_DEGREES = ("--policy_type=python", "--pretrained_name_or_path=moving_policy:make_in_degrees")
MOVE = "--start=move"


def test_without_it_the_run_ends_and_says_what_would_help(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *FAR)
    assert robot.wait() == 4, robot.errors
    assert "--start=move" in robot.errors
    assert robot.report["motion"]["velocity_ratio_max"] == 0.0
    assert robot.report["steps"]["start_moves"] == 0


def test_a_target_that_no_joint_reaches_is_not_gone_to(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *IN_DEGREES, MOVE)
    assert robot.wait() == 4, robot.errors
    assert "degrees?" in robot.errors
    assert robot.report["motion"]["velocity_ratio_max"] == 0.0


@pytest.mark.parametrize(
    ("speed_rad_s", "fps"),
    [(0.5, 30), (0.3, 200)],  # the second move is longer than the longest chunk
)
def test_the_arm_goes_to_a_far_start_slowly_and_then_follows_the_policy(
    speed_rad_s: float,
    fps: int,
    server: ServerProgram,
    start_robot: Callable[..., RobotProgram],
) -> None:
    speed = f"--motion.start_speed={speed_rad_s}"
    robot = start_robot(server.port, *FAR, MOVE, speed, f"--fps={fps}")
    with robot.region() as region:
        telemetry = region.telemetry()
        first = robot.until(region, "the first state", lambda now: now.cycle > 0)
        robot.until(region, "it is refused", lambda now: now.last_refusal == "start")
        robot.until(region, "the next epoch", lambda now: now.epoch > first.epoch)
        there = region.state()
        assert there is not None
        robot.until_moving(region, after_chunk=there.chunk_id)
        records = telemetry.read()
    assert telemetry.lost == 0
    way = records[records["epoch"] == first.epoch]
    velocity_rad_s = np.diff(way["q_command"], axis=0) * 1e3
    assert 0.8 * speed_rad_s < np.abs(velocity_rad_s).max() <= speed_rad_s
    # In one go, at rest at the end, and where the policy's first target had been.
    followed = way["phase"] == Phase.FOLLOW
    assert np.count_nonzero(np.diff(followed.astype(int)) == 1) == 1
    assert way["phase"][-1] == Phase.HOLD
    assert np.abs(way["q_command"][-1] - START).max() < 0.02
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert "goes to [1.00, -0.49" in robot.output
    assert f"at {speed_rad_s:g} rad/s at most" in robot.output
    report = robot.report
    assert report["steps"]["start_moves"] == 1
    assert report["chunks"]["refused_by_core"]["start"] == 1
    assert report["link"]["reconnects"] == 0
    assert report["motion"]["limiter_interventions"] == 0
    assert_sound_motion(report)


def test_a_policy_that_always_begins_elsewhere_is_not_run_after_for_ever(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *NEVER_THERE, MOVE, "--motion.start_speed=1")
    assert robot.wait() == 4, robot.errors
    assert "3 times" in robot.errors
    assert robot.report["steps"]["start_moves"] == 3
    assert robot.report["chunks"]["refused_by_core"]["start"] == 4
    assert_sound_motion(robot.report)


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_pause_or_a_reset_on_the_way_rests_there_and_the_start_is_judged_anew(
    number: signal.Signals, server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *FAR, MOVE, "--motion.start_speed=0.4")
    with robot.region() as region:
        robot.until_moving(region)
        before = robot.until(region, "the arm is on its way", lambda now: now.q[0] > 0.2)
        robot.signal(number)
        resting = robot.until(region, "it rests", at_rest)
        assert resting.q[0] < 0.5
        if number == signal.SIGUSR1:
            later = robot.until(region, "a second", lambda now: now.cycle > resting.cycle + 1000)
            np.testing.assert_array_equal(later.q_command, resting.q_command)
            robot.signal(number)
        robot.until(region, "a new epoch", lambda now: now.epoch > before.epoch)
        robot.until(region, "it is there", lambda now: now.q[0] > 0.95)
        robot.until(region, "the policy moves it", lambda now: abs(now.q[1] - START[1]) > 0.1)
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert robot.report["steps"]["start_moves"] == 2
    assert_sound_motion(robot.report)


def test_a_policy_that_begins_near_the_arm_is_followed_at_once(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, "--policy_type=hold", MOVE, "--duration_s=1")
    assert robot.wait() == 0, robot.errors
    assert robot.report["steps"]["start_moves"] == 0


def test_a_way_that_leads_out_of_the_box_is_not_gone_to_its_end(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    # Joint 1 turns the hand past y = 0.2 m on its way to half a turn.
    turned = "--pretrained_name_or_path=moving_policy:make_turned"
    box = "--motion.box={y: [-0.3, 0.2]}"
    fast = "--motion.start_speed=1"
    robot = start_robot(server.port, "--policy_type=python", turned, MOVE, fast, box)
    assert robot.wait() == 4, (robot.output, robot.errors)
    assert "leads out of --motion.box" in robot.errors
    assert robot.report["motion"]["fence_stops"] == 1
    assert_sound_motion(robot.report)
