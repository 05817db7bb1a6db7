"""Flags from a file: the same tree, the same names, the same refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot_flags import refusal

from rt_infer import flags
from rt_infer.config import RunConfig
from rt_infer.robots.sim_fr3 import SimFr3Config


def test_a_file_gives_the_same_tree_and_flags_win_over_it(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "robot: {type: sim_fr3, id: from_file, seed: 5}\npolicy_type: reach\nfps: 10\n"
        "motion: {speed: 0.25}\n"
    )
    config = flags.parse(
        RunConfig, [f"--config_path={file}", "--fps=20", "--robot.id=typed"], "rt-infer robot"
    )
    assert isinstance(config.robot, SimFr3Config)
    assert (config.robot.id, config.robot.seed, config.fps) == ("typed", 5, 20.0)
    assert (config.policy_type, config.motion.speed) == ("reach", 0.25)


def test_a_wrong_name_in_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("speeed: 3\n")
    assert "speeed, which is no flag" in refusal(f"--config_path={file}")
    file.write_text("policy_typ: hold\n")
    assert "policy_typ, which is no flag; did you mean policy_type?" in refusal(
        f"--config_path={file}"
    )
    file.write_text("motion: {sped: 0.5}\n")
    assert "motion.sped, which is no flag; did you mean motion.speed?" in refusal(
        f"--config_path={file}"
    )
    assert "cannot read" in refusal(f"--config_path={tmp_path / 'none.yaml'}")


def test_a_broken_file_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("fps: 30\nrobot: {type: sim_fr3\npolicy_type: hold\n")
    sentence = refusal(f"--config_path={file}")
    assert "line 3" in sentence
    assert "StringIO" not in sentence


def test_a_file_may_name_flags_as_the_command_line_does(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "robot.type: sim_fr3\nrobot.id: left\npolicy_type: hold\nrt: {cpu: 1}\nrt.priority: 40\n"
        "robot.cameras: {top: {type: synthetic, view: side}}\n"
    )
    config = flags.parse(RunConfig, [f"--config_path={file}"], "rt-infer robot")
    assert isinstance(config.robot, SimFr3Config)
    assert (config.robot.id, config.rt.cpu, config.rt.priority) == ("left", 1, 40)
    assert list(config.robot.cameras) == ["top"]
    file.write_text("rt: {cpu: 1}\nrt.cpu: 2\n")
    assert "rt.cpu twice" in refusal(f"--config_path={file}")


@pytest.mark.parametrize("name", ["max_age_s", "connect_timeout_s", "rt.require", "robot.cameras"])
def test_nothing_is_no_value_on_the_command_line_nor_in_a_file(name: str, tmp_path: Path) -> None:
    assert f"--{name} is empty" in refusal(f"--{name}=null")
    *parents, leaf = name.split(".")
    text = f"{leaf}:\n"
    for parent in parents:
        text = f"{parent}:\n  {text}"
    path = tmp_path / "run.yaml"
    path.write_text(text)
    assert f"--{name} is empty" in refusal(f"--config_path={path}")
