"""How a gripper is named on the command line, and what a robot with one is."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot_flags import run_config

from rt_infer import flags
from rt_infer.grippers.robotiq import RobotiqConfig
from rt_infer.grippers.sim import SimGripperConfig
from rt_infer.robots.registry import Robot
from rt_infer.robots.sim_fr3 import JOINT_FEATURES


def robot(*words: str) -> Robot:
    return run_config(*words).robot.build()


def test_a_robot_has_no_gripper_unless_it_is_named() -> None:
    for bare in (robot(), robot("--robot.gripper="), robot("--robot.gripper=null")):
        assert bare.gripper is None
        assert bare.tools == ()
        assert bare.state_names == JOINT_FEATURES


def test_a_gripper_is_measured_after_the_joints_and_is_a_tool_of_its_own() -> None:
    gripping = robot("--robot.gripper={type: sim, deadband: 0.1}")
    assert gripping.gripper == SimGripperConfig(deadband=0.1)
    assert gripping.state_names == (*JOINT_FEATURES, "gripper.pos")
    assert gripping.action_names == JOINT_FEATURES
    assert gripping.tools == ("gripper.pos",)


def test_a_file_may_name_the_gripper(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("robot: {gripper: {type: robotiq_2f, port: /dev/ttyUSB0, force: 0.5}}\n")
    assert robot(f"--config_path={file}").gripper == RobotiqConfig(port="/dev/ttyUSB0", force=0.5)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{type: robotiq_2f}", "--robot.gripper: it needs port"),
        ("{type: robotiq_2f, port: ''}", "needs its port"),
        ("{type: robotiq_2f, port: a, force: 2}", "0 to 1"),
        ("{type: robotiq_2f, port: a, open_count: 240}", "open_count below closed_count"),
        ("{type: robotiq_2f, port: a, address: 0}", "1 to 247"),
        ("{type: sim, prt: a}", "--robot.gripper: it knows no prt"),
        ("{type: sim, start: 2}", "between 0 and 1"),
        ("{type: sim, speed_m_s: 0}", "speed_m_s"),
        ("{type: sim, deadband: -1}", "deadband is 0 to 0.5"),
        ("{type: sim, deadband: wide}", "--robot.gripper.deadband"),
        ("{type: sim, binary_threshold: 1}", "binary_threshold is 0.1 to 0.9"),
        ("{type: hand}", "'hand' is not in this version"),
        ("{port: a}", "--robot.gripper: an entry that must say its type"),
        ("sim", "--robot.gripper: an entry that must say its type"),
    ],
)
def test_what_makes_no_gripper_is_refused_in_one_sentence(value: str, expected: str) -> None:
    with pytest.raises(flags.UsageError) as caught:
        robot(f"--robot.gripper={value}")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
