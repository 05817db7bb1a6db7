"""The reach scene: its rules in virtual time, and what its cameras show."""

from __future__ import annotations

import numpy as np
import pytest

from rt_infer.robots.fr3_kinematics import HOME_RAD, reach_down
from rt_infer.robots.reach_render import CAMERAS, FRAME_SHAPE, CameraView
from rt_infer.robots.reach_scene import (
    DWELL_S,
    MARKER_HIGH_M,
    MARKER_LOW_M,
    MIN_STEP_M,
    REACH_RADIUS_M,
    ReachScene,
    random_markers,
)


def frame() -> np.ndarray:
    return np.zeros(FRAME_SHAPE, dtype=np.uint8)


def orange(picture: np.ndarray) -> np.ndarray:
    """Where the picture shows the marker's colour."""
    red, blue = picture[..., 0].astype(int), picture[..., 2].astype(int)
    return red - blue > 90


def test_the_same_seed_gives_the_same_markers_and_another_seed_others() -> None:
    a, b, c = (random_markers(np.random.default_rng(seed), 10) for seed in (1, 1, 2))
    assert np.array_equal(a, b)
    assert not np.allclose(a, c)


def test_markers_lie_in_the_box_and_apart_from_each_other() -> None:
    markers = random_markers(np.random.default_rng(4), 300)
    assert np.all(markers >= MARKER_LOW_M)
    assert np.all(markers <= MARKER_HIGH_M)
    assert np.linalg.norm(np.diff(markers, axis=0), axis=1).min() >= MIN_STEP_M


def test_a_marker_counts_only_after_the_fingertip_has_stayed() -> None:
    scene = ReachScene(seed=5, targets=2)
    first = scene.marker_m
    touching = reach_down(first)
    scene.update(HOME_RAD, 10.0)
    scene.update(touching, 10.5)
    scene.update(touching, 10.5 + 0.9 * DWELL_S)
    assert scene.score() == {"targets": 0, "reached": 0}
    scene.update(HOME_RAD, 10.5 + 0.95 * DWELL_S)  # leaving starts the stay anew
    scene.update(touching, 11.0)
    scene.update(touching, 11.0 + 0.9 * DWELL_S)
    assert scene.score() == {"targets": 0, "reached": 0}
    scene.update(touching, 11.0 + 1.1 * DWELL_S)
    assert scene.score() == {"targets": 1, "reached": 1}
    assert not np.allclose(scene.marker_m, first)


@pytest.mark.parametrize(("distance", "reached"), [(0.9, 1), (1.1, 0)])
def test_the_radius_decides_what_touching_means(distance: float, reached: int) -> None:
    scene = ReachScene(seed=6)
    beside = reach_down(scene.marker_m + [0.0, 0.0, distance * REACH_RADIUS_M])
    scene.update(beside, 0.0)
    scene.update(beside, 2 * DWELL_S)
    assert scene.score()["reached"] == reached


def test_a_marker_not_reached_in_time_is_missed_and_the_next_appears() -> None:
    scene = ReachScene(seed=7, targets=2, target_timeout_s=6.0)
    first = scene.marker_m
    scene.update(HOME_RAD, 100.0)
    scene.update(HOME_RAD, 105.9)
    assert np.array_equal(scene.marker_m, first)
    scene.update(HOME_RAD, 106.0)
    assert scene.score() == {"targets": 1, "reached": 0}
    second = scene.marker_m
    assert not np.allclose(second, first)
    scene.update(HOME_RAD, 112.0)
    assert scene.done
    assert scene.score() == {"targets": 2, "reached": 0}
    scene.update(reach_down(second), 113.0)
    scene.update(reach_down(second), 114.0)
    assert scene.score() == {"targets": 2, "reached": 0}
    assert np.array_equal(scene.marker_m, second)


@pytest.mark.parametrize("camera", sorted(CAMERAS))
def test_rendering_is_deterministic_and_overwrites_whatever_was_there(camera: str) -> None:
    a, b = frame(), frame() + 200
    ReachScene(seed=8).render(camera, HOME_RAD, a)
    ReachScene(seed=8).render(camera, HOME_RAD, b)
    assert np.array_equal(a, b)


@pytest.mark.parametrize("camera", sorted(CAMERAS))
def test_the_marker_appears_where_the_camera_projects_it(camera: str) -> None:
    view = CameraView(camera)
    for marker in random_markers(np.random.default_rng(9), 20):
        picture = frame()
        away = np.array([-1.5, *HOME_RAD[1:]])  # the arm turned aside, out of the way
        view.render(away, marker, picture)
        rows, columns = np.nonzero(orange(picture))
        column, row, _ = view.project(marker)
        assert len(rows) > 80
        assert columns.mean() == pytest.approx(column, abs=0.6)
        assert rows.mean() == pytest.approx(row, abs=0.6)


def test_another_marker_and_another_pose_change_the_picture_only_where_they_are() -> None:
    view = CameraView("front")
    here, there, moved = frame(), frame(), frame()
    view.render(HOME_RAD, [0.45, -0.20, 0.20], here)
    view.render(HOME_RAD, [0.45, 0.20, 0.20], there)
    view.render(reach_down([0.45, -0.20, 0.30]), [0.45, -0.20, 0.20], moved)
    changed = np.any(here != there, axis=-1).mean()
    assert 0.002 < changed < 0.03
    assert np.any(here != moved, axis=-1).mean() > changed


def test_a_link_in_front_hides_the_marker() -> None:
    view = CameraView("front")
    free, hidden = frame(), frame()
    marker = np.array([0.40, 0.0, 0.30])
    view.render(reach_down([0.40, 0.25, 0.30]), marker, free)
    toward_camera = np.array(CAMERAS["front"][0]) - marker
    hand_before_it = marker + 0.15 * toward_camera / np.linalg.norm(toward_camera)
    view.render(reach_down(hand_before_it - [0.0, 0.0, 0.12]), marker, hidden)
    assert orange(hidden).sum() < 0.5 * orange(free).sum()


def test_wrong_frames_and_unknown_cameras_are_refused() -> None:
    scene = ReachScene(seed=10)
    with pytest.raises(ValueError, match="uint8 array"):
        scene.render("front", HOME_RAD, np.zeros((480, 640, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match="no camera 'wrist'"):
        scene.render("wrist", HOME_RAD, frame())
