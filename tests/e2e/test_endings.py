"""How a run ends, and what its exit status says."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable

import numpy as np
import pytest
from conftest import MOVING
from moving_policy import HOME, SWING
from processes import RobotProgram, ServerProgram, assert_sound_motion

from rt_infer.robot.region import Phase
from rt_infer.robots.fr3_limits import ratios


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_brings_the_arm_to_rest_on_its_path_first(
    number: signal.Signals, server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port)
    with robot.region() as region:
        telemetry = region.telemetry()
        robot.until_moving(region)
        robot.signal(number)
        assert robot.wait() == 0, robot.errors
        records = telemetry.read()
    assert records["phase"][-1] == Phase.FINISHED
    assert Phase.BRAKE in records["phase"]
    # As it was told: the arm itself is still some milliseconds behind.
    assert np.nanmax(ratios(records["q_command"], records["cycle"]).velocity[-2:]) < 1e-6
    assert robot.report["outcome"] == "stopped"
    assert number.name in robot.report["ending"]
    assert_sound_motion(robot.report)


def refused(robot: RobotProgram, status: int) -> str:
    assert robot.wait() == status, (robot.output, robot.errors)
    assert "Traceback" not in robot.errors
    (sentence,) = [line for line in robot.errors.splitlines() if line.startswith("rt-infer: ")]
    return sentence


def test_without_a_server_it_gives_up_after_the_connect_timeout(
    start_robot: Callable[..., RobotProgram],
) -> None:
    with socket.socket() as unused:  # bound and not listening: nobody else gets it either
        unused.bind(("127.0.0.1", 0))
        robot = start_robot(unused.getsockname()[1], *MOVING, "--connect_timeout_s=0.5")
        sentence = refused(robot, 3)
    assert "Nothing listens at 127.0.0.1" in sentence
    assert "given up after 0.5 s" in sentence
    assert sentence.count("rt-infer server") == 1  # the advice, once
    assert "trying for 0.5 s" in robot.output  # told when it was found out
    assert robot.report["outcome"] == "refused"


def test_an_unknown_policy_ends_the_run(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, "--policy_type=nonesuch")
    assert "nonesuch" in refused(robot, 4)
    assert robot.report["outcome"] == "refused"
    assert "steps executed" not in robot.output  # a table of zeros


def test_what_cannot_be_asked_for_is_told_as_a_mistake_and_not_as_a_fault(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    nameless = "--robot.cameras={'': {type: synthetic, view: front}}"
    assert "images has the name ''" in refused(start_robot(server.port, *MOVING, nameless), 2)


def test_a_policy_that_wants_other_images_ends_the_run(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    one_camera = "--robot.cameras={front: {type: synthetic, view: front}}"
    assert "side" in refused(start_robot(server.port, *MOVING, one_camera), 4)


def test_a_first_target_too_far_away_is_refused_and_the_arm_stays(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    far = "--pretrained_name_or_path=moving_policy:make_far_away"
    robot = start_robot(server.port, "--policy_type=python", far)
    assert "0.60 rad" in refused(robot, 4)
    assert robot.report["motion"]["velocity_ratio_max"] == 0.0
    assert robot.report["steps"]["executed"] == 0


def test_actions_for_other_joints_move_nothing(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    stranger = "--pretrained_name_or_path=moving_policy:make_stranger"
    robot = start_robot(server.port, "--policy_type=python", stranger)
    assert "of which joint_0.pos is unknown" in refused(robot, 4)
    assert robot.report["motion"]["velocity_ratio_max"] == 0.0
    assert robot.report["chunks"]["received"] == 0


def test_joints_that_are_named_from_the_other_end_go_where_they_are_told(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    mirrored = "--pretrained_name_or_path=moving_policy:make_mirrored"
    robot = start_robot(server.port, "--policy_type=python", mirrored)
    with robot.region() as region:
        robot.until_moving(region)
        robot.signal(signal.SIGTERM)
        assert robot.wait() == 0, robot.errors
        state = region.state()
    assert state is not None
    assert np.abs(state.q - HOME).max() <= np.abs(SWING).max() + 0.1


def test_a_robot_has_one_driver_at_a_time(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    first = start_robot(server.port)
    with first.region() as region:
        first.until_moving(region)
        second = start_robot(server.port, *MOVING, robot_id=first.robot_id)
        assert str(first.pid) in refused(second, 4)
        assert first.process.poll() is None


def test_a_core_that_misses_its_cycles_is_stopped_by_the_arm_and_told(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *MOVING, "--robot.patient=false")
    with robot.region() as region:
        robot.until_moving(region)
        core = robot.core_pid
        os.kill(core, signal.SIGSTOP)
        time.sleep(0.2)  # ten times what FCI forgives
        os.kill(core, signal.SIGCONT)
    assert "communication_constraints_violation" in refused(robot, 5)
    assert robot.report["outcome"] == "fault"
    assert robot.report["motion"]["reflexes"] == ["communication_constraints_violation"]


def test_a_fault_while_the_arm_is_brought_to_rest_is_a_fault(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *MOVING, "--robot.patient=false")
    with robot.region() as region:
        robot.until_moving(region)
        core = robot.core_pid
        robot.signal(signal.SIGSTOP)  # so that the order below is the order of events
        os.kill(core, signal.SIGSTOP)
        robot.signal(signal.SIGTERM)
        robot.signal(signal.SIGCONT)
        time.sleep(0.5)
        os.kill(core, signal.SIGCONT)
    assert "communication_constraints_violation" in refused(robot, 5)
