"""The core's kinematics as Python sees it, judged by a second implementation (rigid.py)."""

from __future__ import annotations

import numpy as np
import pytest
import rigid

from rt_infer import _core
from rt_infer.robots.fr3_kinematics import HOME_RAD, LOWER_RAD, UPPER_RAD

TCP = rigid.FRANKA_HAND
STEP_S = 1 / 30
OPEN = [-np.inf] * 3, [np.inf] * 3


def tip(q_rad: np.ndarray) -> np.ndarray:
    """The hand's tool point in the base frame, (4, 4), by the second implementation."""
    return rigid.flange(q_rad) @ rigid.pose(TCP[:3], rigid.turn([0.0, 0.0, TCP[5]]))


def swing() -> np.ndarray:
    """Poses (60, 4, 4): from home to the side, up, and turning."""
    poses = np.repeat(tip(HOME_RAD)[None], 60, axis=0)
    along = np.linspace(0.0, 1.0, 60)
    poses[:, 1, 3] += 0.25 * along
    poses[:, 2, 3] += 0.10 * np.sin(np.pi * along)
    for pose, part in zip(poses, along, strict=True):
        pose[:3, :3] = pose[:3, :3] @ rigid.turn([0.2 * part, 0.0, -0.5 * part])
    return poses


def test_forward_kinematics_of_a_batch_are_those_of_the_urdf() -> None:
    q = np.random.default_rng(1).uniform(LOWER_RAD, UPPER_RAD, (4, 5, 7))
    poses, flanges = _core.forward(q, TCP), _core.forward(q, [0.0] * 6)
    assert poses.shape == flanges.shape == (4, 5, 4, 4)
    for index in np.ndindex(4, 5):
        assert poses[index] == pytest.approx(tip(q[index]), abs=1e-12)
        assert flanges[index] == pytest.approx(rigid.flange(q[index]), abs=1e-12)


def test_a_tool_may_be_turned_about_every_axis() -> None:
    tool = [0.01, -0.02, 0.2, 0.3, -0.4, 0.5]
    by_hand = rigid.turn([0, 0, 0.5]) @ rigid.turn([0, -0.4, 0]) @ rigid.turn([0.3, 0, 0])
    expected = rigid.flange(HOME_RAD) @ rigid.pose(tool[:3], by_hand)
    assert _core.forward(HOME_RAD, tool) == pytest.approx(expected, abs=1e-12)


def test_poses_are_followed_and_what_they_miss_is_told() -> None:
    poses = swing()
    q, missed = _core.follow_poses(HOME_RAD, poses, TCP, STEP_S)
    assert q.shape == (60, 7)
    assert missed.shape == (60, 2)
    assert missed.max() < 1e-6
    for row, pose in zip(q, poses, strict=True):
        assert tip(row) == pytest.approx(pose, abs=1e-6)


def test_a_pose_out_of_reach_is_missed_by_what_is_told() -> None:
    poses = swing()
    poses[30:, 0, 3] += 1.0
    q, missed = _core.follow_poses(HOME_RAD, poses, TCP, STEP_S)
    for row, pose, (position_m, rotation_rad) in zip(q, poses, missed, strict=True):
        at = tip(row)
        assert position_m == pytest.approx(np.linalg.norm(at[:3, 3] - pose[:3, 3]), abs=1e-9)
        assert rotation_rad == pytest.approx(
            rigid.angle_between(at[:3, :3], pose[:3, :3]), abs=1e-9
        )
    assert missed[:30].max() < 1e-6
    assert missed[30:, 0].min() > 0.1


def test_a_second_call_goes_on_where_the_first_ended() -> None:
    poses = swing()
    whole, _ = _core.follow_poses(HOME_RAD, poses, TCP, STEP_S)
    first, _ = _core.follow_poses(HOME_RAD, poses[:25], TCP, STEP_S)
    second, _ = _core.follow_poses(first[-1], poses[25:], TCP, STEP_S)
    assert np.array_equal(np.concatenate([first, second]), whole)


def test_a_narrower_range_is_kept_with_room_for_the_core() -> None:
    lower, upper = LOWER_RAD.copy(), UPPER_RAD.copy()
    upper[0] = 0.2
    q, missed = _core.follow_poses(HOME_RAD, swing(), TCP, STEP_S, lower, upper)
    free, _ = _core.follow_poses(HOME_RAD, swing(), TCP, STEP_S)
    assert free[:, 0].max() > 0.25
    assert 0.17 < q[:, 0].max() < 0.2 - 0.015
    assert np.isfinite(missed).all()


def test_what_the_inverse_kinematics_makes_is_clamped_nowhere_in_the_core() -> None:
    poses = swing()
    poses[20:, 0, 3] += np.linspace(0.0, 0.8, 40)
    q, _ = _core.follow_poses(HOME_RAD, poses, TCP, STEP_S)
    run = _core.simulate({"fps": 30.0, "arm": {}}, 3000, [(10, q, None, 5, None)])
    assert run["counts"]["splices"] == 1
    assert run["counts"]["waypoints_clamped"] == 0
    assert run["counts"]["limiter_interventions"] == 0


def test_waypoints_are_kept_five_millimetres_inside_the_box() -> None:
    q, _ = _core.follow_poses(HOME_RAD, swing(), TCP, STEP_S)
    kept, count = _core.keep_in_box(q, OPEN[0], [np.inf, 0.1, np.inf], TCP, STEP_S, HOME_RAD)
    beyond = np.array([tip(row)[1, 3] for row in q]) > 0.095
    assert count == beyond.sum() > 10
    assert np.array_equal(kept[~beyond], q[~beyond])
    for row, asked in zip(kept, q, strict=True):
        assert tip(row)[1, 3] < 0.095 + 1e-6
        assert tip(row)[:3, :3] == pytest.approx(tip(asked)[:3, :3], abs=1e-6)


def test_an_open_box_and_no_waypoints_change_nothing() -> None:
    q, _ = _core.follow_poses(HOME_RAD, swing(), TCP, STEP_S)
    kept, count = _core.keep_in_box(q, *OPEN, TCP, STEP_S)
    assert count == 0
    assert np.array_equal(kept, q)
    kept, count = _core.keep_in_box(np.empty((0, 7)), *OPEN, TCP, STEP_S)
    assert (kept.shape, count) == ((0, 7), 0)


def test_what_is_no_number_moves_nothing() -> None:
    poses = swing()
    poses[10] = np.nan
    q, missed = _core.follow_poses(HOME_RAD, poses, TCP, STEP_S)
    assert np.isfinite(q).all()
    assert np.array_equal(q[10], q[9])
    assert np.isnan(missed[10]).any()
    assert np.isfinite(np.delete(missed, 10, axis=0)).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: _core.forward(np.zeros(6), TCP),
        lambda: _core.follow_poses(HOME_RAD, np.eye(4), TCP, STEP_S),
        lambda: _core.follow_poses(HOME_RAD, swing(), TCP, -1.0),
        lambda: _core.follow_poses(HOME_RAD, swing(), TCP, STEP_S, UPPER_RAD, UPPER_RAD),
        lambda: _core.keep_in_box(HOME_RAD, *OPEN, TCP, STEP_S),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call: object) -> None:
    with pytest.raises(ValueError):
        call()  # type: ignore[operator]


def test_a_stream_that_leaves_the_box_is_stopped_at_its_side() -> None:
    poses = np.repeat(tip(HOME_RAD)[None], 60, axis=0)
    poses[:, 1, 3] += np.linspace(0.0, 0.5, 60)
    q, _ = _core.follow_poses(HOME_RAD, poses, TCP, STEP_S)
    chunks = [(10, q, None, 5, None)]
    box = {"box_max": [np.inf, 0.2, np.inf], "tcp": TCP}
    free = _core.simulate({"fps": 30.0, "arm": {}}, 4000, chunks)
    kept = _core.simulate({"fps": 30.0, "arm": {}, **box}, 4000, chunks)
    assert tip(free["q_command"][-1])[1, 3] > 0.45
    assert 0.15 < tip(kept["q_command"][-1])[1, 3] <= 0.2
    assert (free["counts"]["fence_stops"], kept["counts"]["fence_stops"]) == (0, 1)
    assert kept["counts"]["limiter_interventions"] == 0


@pytest.mark.parametrize(
    "config",
    [
        {"box_min": [0, 0, 1], "box_max": [1, 1, 0]},
        {"box_min": [0, 0, 0], "box_max": [1, 1, 0.019]},
        {"tcp": [np.nan] * 6},
        {"box_min": [0, 0]},
    ],
)
def test_a_box_that_makes_no_sense_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"box|tcp"):
        _core.simulate({"fps": 30.0, "arm": {}, **config}, 10)
