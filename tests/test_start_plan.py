"""The way to a policy's start, as it is planned and as the core follows it in virtual time."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rt_infer import _core
from rt_infer.robot.start_plan import StartPlan, plan
from rt_infer.robots.fr3_kinematics import HOME_RAD, LOWER_RAD, UPPER_RAD

LOWEST, HIGHEST = (np.array(bounds) for bounds in _core.target_range())
FPS = (5.0, 10.0, 30.0, 50.0, 200.0)


def planned(target: np.ndarray, **changes: Any) -> StartPlan:
    options = {"speed_rad_s": 0.2, "step_s": 1 / 30} | changes
    return plan(HOME_RAD, target, LOWEST, HIGHEST, **options)


def test_it_leads_straight_from_where_the_arm_is_to_the_target_and_rests_at_both_ends() -> None:
    target = HOME_RAD + [1.0, 0.3, -0.5, 0.2, 0.0, 0.6, -1.2]
    move = planned(target)
    np.testing.assert_allclose(move.actions[0], HOME_RAD, atol=1e-6)
    np.testing.assert_allclose(move.actions[-1], target, atol=1e-6)
    share = (move.actions[:, 6] - HOME_RAD[6]) / -1.2
    straight = HOME_RAD + share[:, None] * (target - HOME_RAD)
    np.testing.assert_allclose(move.actions, straight, atol=1e-5)
    assert (np.diff(share) > -1e-6).all()
    steps = np.abs(np.diff(move.actions, axis=0)).max(axis=1)
    assert steps[0] < 1e-3 and steps[-1] < 1e-3
    assert (move.worst_joint, move.clamped) == (7, False)
    assert move.distance_rad == pytest.approx(1.2)
    assert move.duration_s == pytest.approx(1.2 / 0.2, rel=0.2)


def test_a_target_beyond_the_range_is_clamped_to_where_the_core_leaves_it_alone() -> None:
    move = planned(HOME_RAD + [9.0, 0, 0, 0, 0, 0, 0])
    assert move.clamped
    assert move.target_rad[0] == pytest.approx(HIGHEST[0], abs=1e-5)
    np.testing.assert_array_equal(move.target_rad[1:], HOME_RAD[1:])
    _, counts = followed(move, 30.0)
    assert counts["waypoints_clamped"] == 0


def test_where_targets_may_be_is_inside_the_range_of_the_joints_that_is_given() -> None:
    assert (LOWEST > LOWER_RAD).all() and (HIGHEST < UPPER_RAD).all()
    lowest, highest = _core.target_range(HOME_RAD - 0.5, HOME_RAD + 0.5)
    assert (np.array(lowest) > HOME_RAD - 0.5).all()
    assert (np.array(highest) < HOME_RAD + 0.5).all()


def followed(move: StartPlan, fps: float) -> tuple[np.ndarray, dict[str, Any]]:
    """The commands of a core that is given the move as one chunk, (N, 7), and what it counted."""
    config = {"fps": fps, "max_start_distance_rad": 0.01}
    cycles = int(1000 * move.duration_s) + 3000
    run = _core.simulate(config, cycles, [(10, move.actions, None, 9, None)])
    return run["q_command"], run["counts"]


@settings(max_examples=25, deadline=None)
@given(
    offsets=st.lists(st.floats(-2.0, 2.0), min_size=7, max_size=7),
    speed=st.floats(0.02, 1.0),
    fps=st.sampled_from(FPS),
)
def test_no_joint_is_ever_faster_than_it_should_be(
    offsets: list[float], speed: float, fps: float
) -> None:
    move = planned(HOME_RAD + offsets, speed_rad_s=speed, step_s=1 / fps)
    assume(len(move.actions) <= _core.MAX_CHUNK)  # longer ones: tests/e2e/test_start_move.py
    commands, counts = followed(move, fps)
    assert np.abs(np.diff(commands, axis=0)).max() * 1e3 <= speed
    np.testing.assert_allclose(commands[-1], move.target_rad, atol=1e-6)
    assert counts["limiter_interventions"] == 0


def test_a_target_where_the_arm_is_is_no_move() -> None:
    move = planned(HOME_RAD)
    np.testing.assert_allclose(move.actions, np.repeat(HOME_RAD[None], len(move.actions), 0))
    assert move.duration_s == 0.0


def test_a_run_that_moves_to_no_start_does_not_load_ruckig() -> None:
    code = "import sys, rt_infer.robot.run; print('ruckig' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
