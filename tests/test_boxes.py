"""Where an arm may be: what the flags say, what the core does, what is told at the start."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rigid
from hypothesis import given, settings
from hypothesis import strategies as st
from robot_flags import run_config

from rt_infer import _core, flags
from rt_infer.robots.boxes import joint_box, outside, workspace_box
from rt_infer.robots.fr3_kinematics import HOME_RAD, LOWER_RAD, UPPER_RAD
from rt_infer.robots.sim_fr3 import SimFr3Config

Array = npt.NDArray[np.float64]


def test_both_boxes_are_read_from_the_command_line() -> None:
    config = run_config(
        "--motion.box={x: [0.2, 0.8], z: [0.02, 1.2]}",
        "--motion.joint_box={1: [-1.5, 1.5], 4: [-2.5, -0.5]}",
        "--robot.tcp=[0, 0, 0.2, 0, 0, 1.57]",
    )
    box = workspace_box(config.motion.box)
    np.testing.assert_array_equal(box.lower_m, [0.2, -np.inf, 0.02])
    np.testing.assert_array_equal(box.upper_m, [0.8, np.inf, 1.2])
    joints = joint_box(config.motion.joint_box)
    assert (joints.lower_rad[0], joints.upper_rad[0]) == (-1.5, 1.5)
    assert (joints.lower_rad[3], joints.upper_rad[3]) == (-2.5, -0.5)
    np.testing.assert_array_equal(joints.lower_rad[4:], LOWER_RAD[4:])
    assert isinstance(config.robot, SimFr3Config)
    assert config.robot.build().tcp == (0, 0, 0.2, 0, 0, 1.57)


def test_without_flags_nothing_is_bounded_but_by_the_arm() -> None:
    config = run_config()
    assert workspace_box(config.motion.box).is_open
    np.testing.assert_array_equal(joint_box(config.motion.joint_box), [LOWER_RAD, UPPER_RAD])
    assert isinstance(config.robot, SimFr3Config)
    np.testing.assert_allclose(config.robot.tcp, rigid.FRANKA_HAND, atol=1e-6)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("--motion.box={w: [0, 1]}", "no axis 'w'"),
        ("--motion.box={z: [0.5, 0.2]}", "0.5 to 0.2 m is not"),
        ("--motion.box={z: [0.5, 0.51]}", "at least 0.02 m thick"),
        ("--motion.box={z: [0.1]}", "takes [least, greatest], two numbers in m"),
        ("--motion.box={z: [.nan, 1]}", "two numbers in m"),
        ("--motion.box={z: 3}", "--motion.box"),
        ("--motion.box={z: [a, b]}", "--motion.box"),
        ("--motion.box=[1, 2]", "--motion.box"),
        ("--motion.joint_box={8: [0, 1]}", "no joint '8'"),
        ("--motion.joint_box={1: [-3, 1]}", "outside the arm's range, -2.7501 to 2.7501"),
        ("--motion.joint_box={1: [1, -1]}", "1 to -1 rad is not"),
        ("--motion.joint_box={1: [0, 0.05]}", "at least 0.1 rad wide"),
        ("--motion.joint_box={1: [x, 2]}", "--motion.joint_box"),
        ("--robot.tcp=[0, 0, 0.1]", "--robot.tcp takes six numbers"),
        ("--robot.tcp=[0, 0, 103.4, 0, 0, 0]", "give metres"),
    ],
)
def test_a_box_that_makes_no_sense_is_refused_in_a_sentence(word: str, sentence: str) -> None:
    with pytest.raises(flags.UsageError) as caught:
        run_config(word)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_start_outside_is_told_with_the_point_that_is_outside() -> None:
    everywhere, anything = workspace_box({}), joint_box({})
    q = np.array(HOME_RAD)
    assert outside(q, rigid.FRANKA_HAND, everywhere, anything) is None
    floor = workspace_box({"z": [0.55, 1.2]})
    told = outside(q, rigid.FRANKA_HAND, floor, anything)
    height_m = rigid.tcp(q)[2, 3]
    assert told is not None
    assert told.startswith(f"The TCP starts at z = {height_m:.3f} m, outside --motion.box (0.55 to")
    short = outside(q, (0.0,) * 6, floor, anything)
    assert short is None  # the flange itself is above 0.55 m
    told = outside(q, rigid.FRANKA_HAND, everywhere, joint_box({"4": [-2.0, -0.5]}))
    assert told is not None
    assert "Joint 4 starts at -2.356 rad" in told


# ------------------------------------------------------------------ the joint box in the core


def core_config(ranges: dict[str, list[float]], **more: Any) -> dict[str, Any]:
    box = joint_box(ranges)
    ends = {"joint_lower": box.lower_rad.tolist(), "joint_upper": box.upper_rad.tolist()}
    return ends | more


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=25)
def test_no_chunk_leads_a_joint_out_of_its_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low_rad, high_rad = HOME_RAD - rng.uniform(0.1, 0.5, 7), HOME_RAD + rng.uniform(0.1, 0.5, 7)
    ranges = {str(j + 1): [low_rad[j], high_rad[j]] for j in range(7)}
    ramp = np.linspace(0, 1, 40)[:, None]
    chunks = [
        (at, HOME_RAD + ramp * rng.uniform(-1.5, 1.5, 7), None, at - 10, None)
        for at in range(50, 3000, 800)
    ]
    config = core_config(ranges, max_start_distance_rad=6.0)
    run = _core.simulate(config, 4000, chunks=chunks)
    assert run["reflex"] is None
    assert np.abs(run["q_command"] - HOME_RAD).max() > 0.05
    assert (run["q_command"] > low_rad).all()
    assert (run["q_command"] < high_rad).all()


@pytest.mark.parametrize("steps", [5, 8, 12, 30])
def test_an_arm_that_starts_outside_its_joint_box_comes_in(steps: int) -> None:
    """Targets cross the end of the box after `steps`; before they are clamped, with a corner."""
    targets = np.tile(HOME_RAD, (80, 1))
    targets[:, 0] = np.clip(0.1237 * np.arange(80) / steps, None, 0.5)
    config = core_config({"1": [0.1, 1.0]})
    run = _core.simulate(config, 4000, chunks=[(20, targets, None, 5, None)])
    moved = run["q_command"][:, 0]
    assert moved[-1] == pytest.approx(targets[-1, 0], abs=1e-6)
    still_outside = moved[1:] < 0.1
    assert (np.diff(moved)[still_outside] >= -1e-12).all()
    assert run["counts"]["limiter_interventions"] == 0


@pytest.mark.parametrize("key", ["joint_lower", "joint_upper"])
def test_the_core_takes_no_joint_box_that_widens_the_arm_or_leaves_no_room(key: str) -> None:
    for ends in (LOWER_RAD - 0.1, UPPER_RAD + 0.1, np.full(7, np.nan)):
        with pytest.raises(ValueError, match="joint_lower and joint_upper"):
            _core.simulate({key: ends.tolist()}, 10)
