"""Policies of every kind of actions drive the simulated FR3: real processes, one motion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rigid
from kinds_policy import GOAL, SPIN_RAD_S
from processes import ROOT, Program, RobotProgram, ServerProgram, assert_sound_motion, wait_until

from examples.python_policy.hand_circles import CENTRE_M, RADIUS_M
from rt_infer.robot.region import Phase

KINDS = ("pos", "rel", "delta", "vel", "pose", "quaternion", "pose_delta")
Start = Callable[..., RobotProgram]


@pytest.fixture
def server(
    tmp_path: Path, started: list[Program], monkeypatch: pytest.MonkeyPatch
) -> ServerProgram:
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))  # the policies use rigid.py, too
    names = (*KINDS, "spin", "down", "half")
    words = [f"--allow_python=kinds_policy:make_{name}" for name in names]
    program = ServerProgram(tmp_path, words=words)
    started.append(program)
    return program


def policy(name: str) -> tuple[str, str]:
    return "--policy_type=python", f"--pretrained_name_or_path=kinds_policy:make_{name}"


def assert_planning_did_it_all(robot: RobotProgram) -> None:
    report = robot.report
    assert_sound_motion(report)
    assert report["motion"]["limiter_interventions"] == 0
    # What is answered while the arm comes to rest at the end is refused, and is no matter.
    refused = report["chunks"]["refused_by_core"] | {"stopping": 0}
    assert sum(refused.values()) == 0, refused
    assert report["chunks"]["refused_before_core"] == {}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_actions_leads_the_hand_to_the_same_place(
    server: ServerProgram, start_robot: Start, kind: str
) -> None:
    robot = start_robot(server.port, *policy(kind), "--duration_s=5")
    with robot.region() as region:
        assert robot.wait() == 0, robot.errors
        state = region.state()
    assert state is not None
    wanted, found = rigid.tcp(GOAL), rigid.tcp(state.q)
    assert np.linalg.norm(found[:3, 3] - wanted[:3, 3]) < 1e-3
    assert rigid.angle_between(found[:3, :3], wanted[:3, :3]) < 5e-3
    assert_planning_did_it_all(robot)
    assert robot.report["motion"]["actions_unreachable"] == 0


def test_velocities_are_kept_however_often_the_policy_is_asked(
    server: ServerProgram, start_robot: Start
) -> None:
    robot = start_robot(server.port, *policy("spin"), "--chunk_size_threshold=1", "--duration_s=4")
    with robot.region() as region:
        telemetry = region.telemetry()
        assert robot.wait() == 0, robot.errors
        records = telemetry.read()
        admitted = region.state().chunks_admitted
    assert admitted > 20
    steady = records[(records["phase"] == Phase.FOLLOW) & (records["policy_rate"] > 29.9)][500:]
    turned_rad = steady["q_command"][-1, 0] - steady["q_command"][0, 0]
    steps = steady["policy_step"][-1] - steady["policy_step"][0]
    assert turned_rad / steps * 30.0 == pytest.approx(SPIN_RAD_S, rel=0.02)
    assert_planning_did_it_all(robot)


def test_a_hand_that_is_told_through_the_floor_stops_above_it(
    server: ServerProgram, start_robot: Start
) -> None:
    robot = start_robot(
        server.port, *policy("down"), "--motion.box={z: [0.38, 1.2]}", "--duration_s=6"
    )
    with robot.region() as region:
        telemetry = region.telemetry()
        assert robot.wait() == 0, robot.errors
        records = telemetry.read()
    heights_m = rigid.tcp(records["q_command"][::5])[:, 2, 3]
    assert heights_m[0] > 0.45
    assert heights_m.min() == pytest.approx(0.385, abs=0.002)
    measured_m = rigid.tcp(records["q"][::5])[:, 2, 3]
    assert measured_m.min() > 0.38
    assert "--motion.box" in robot.output + robot.errors
    report = robot.report
    assert report["motion"]["actions_boxed"] > 50
    assert report["motion"]["fence_stops"] == 0
    assert_planning_did_it_all(robot)


def test_a_start_outside_the_box_is_told_and_the_arm_comes_in(
    server: ServerProgram, start_robot: Start
) -> None:
    robot = start_robot(
        server.port, *policy("pose"), "--motion.joint_box={1: [0.1, 1.0]}", "--duration_s=5"
    )
    with robot.region() as region:
        assert robot.wait() == 0, robot.errors
        state = region.state()
    assert "Joint 1 starts at 0.000 rad, outside --motion.joint_box (0.1 to 1)" in robot.output
    assert state is not None
    assert state.q[0] > 0.1
    assert_sound_motion(robot.report)


def test_a_policy_of_two_kinds_is_refused_with_both_lists(
    server: ServerProgram, start_robot: Start
) -> None:
    robot = start_robot(server.port, *policy("half"))
    assert robot.wait() == 4
    wait_until("it reports", lambda: robot.has_reported)
    ending = robot.report["ending"]
    assert "joint_4.pos, joint_5.vel" in ending
    assert "which are of more than one kind; this robot takes joint_1.pos … joint_7.pos" in ending
    assert ending in robot.errors


def test_the_example_draws_circles_with_the_hand_and_does_not_turn_it(
    tmp_path: Path, started: list[Program], start_robot: Start
) -> None:
    place = "examples.python_policy.hand_circles:make"
    server = ServerProgram(tmp_path, words=[f"--allow_python={place}"])
    started.append(server)
    robot = start_robot(
        server.port, "--policy_type=python", f"--pretrained_name_or_path={place}", "--duration_s=8"
    )
    with robot.region() as region:
        telemetry = region.telemetry()
        assert robot.wait() == 0, robot.errors
        q_command = telemetry.read()["q_command"]
    lap = rigid.tcp(q_command[-6000::20])
    away = lap[:, :3, 3] - CENTRE_M
    np.testing.assert_allclose(np.hypot(away[:, 1], away[:, 2]), RADIUS_M, atol=0.01)
    np.testing.assert_allclose(away[:, 0], 0.0, atol=0.01)
    around = np.unwrap(np.arctan2(away[:, 2], away[:, 1]))
    assert around[-1] - around[0] > 0.7 * 2 * np.pi
    assert rigid.angle_between(lap[0, :3, :3], lap[:, :3, :3]).max() < 1e-3
    assert_planning_did_it_all(robot)
