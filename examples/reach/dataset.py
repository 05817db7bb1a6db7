"""Demonstrations for behaviour cloning, drawn and rendered as they are needed.

A scene is a picture from each camera, the arm's pose in it, and the pose that touches the marker.
Arm poses come from three places, because the closed loop visits all of them: along the expert's way
from one marker to the next, close around the goal (where precision counts, and where the finger
hides part of the marker), and anywhere nearby. Markers are drawn from a slightly larger box than
the game's, so that its corners are not the edge of what was learned.

One scene serves many demonstrations: what the expert does from the pose in the picture, and from
others close to it. The pictures tell where the marker is; where the arm is, the joints tell better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.reach.expert import goal_rad
from rt_infer.robots.fr3_kinematics import HOME_RAD, LOWER_RAD, UPPER_RAD, Array
from rt_infer.robots.reach_render import CAMERAS, FRAME_SHAPE, CameraView
from rt_infer.robots.reach_scene import MARKER_HIGH_M, MARKER_LOW_M

MARGIN_M = 0.015


@dataclass(frozen=True)
class Scenes:
    """B scenes as the cameras see them."""

    pictures: NDArray[np.uint8]  # (B, cameras, 240, 320, 3)
    points_px: Array  # (B, cameras, 2, 2): column and row of the marker and of its shadow
    q_rad: Array  # (B, 7): the pose in the pictures
    goal_rad: Array  # (B, 7): the pose that touches the marker


class Demonstrations:
    """An endless, seeded source."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._views = [CameraView(camera) for camera in CAMERAS]

    def scenes(self, size: int) -> Scenes:
        """Draw and render `size` scenes."""
        markers = self._markers(size)
        goals = goal_rad(markers)
        poses = self._poses(goals)
        pictures = np.empty((size, len(self._views), *FRAME_SHAPE), dtype=np.uint8)
        for i in range(size):
            for view, picture in zip(self._views, pictures[i], strict=True):
                view.render(poses[i], markers[i], picture)
        shadows = markers * [1.0, 1.0, 0.0]
        points_m = np.stack([markers, shadows], axis=1)
        points_px = np.stack([view.project(points_m)[..., :2] for view in self._views], axis=1)
        return Scenes(pictures, points_px, poses, goals)

    def poses_and_goals(self, size: int) -> tuple[Array, Array]:
        """What `scenes` would draw, without pictures: poses and goals, (size, 7) each."""
        goals = goal_rad(self._markers(size))
        return self._poses(goals), goals

    def nearby(self, q_rad: Array, goal_rad: Array) -> Array:
        """Poses a little further on or back towards their goals, and to the side: (N, 7)."""
        along = self._rng.normal(0.0, 0.3, (len(q_rad), 1)) * (goal_rad - q_rad)
        return np.clip(q_rad + along + self._noise(len(q_rad), 0.002, 0.05), LOWER_RAD, UPPER_RAD)

    def _markers(self, size: int) -> Array:
        return self._rng.uniform(MARKER_LOW_M - MARGIN_M, MARKER_HIGH_M + MARGIN_M, (size, 3))

    def _poses(self, goals: Array) -> Array:
        """Two fifths on the way, two fifths around the goal, one fifth anywhere nearby."""
        rng, size = self._rng, len(goals)
        starts = goal_rad(self._markers(size))
        starts[rng.random(size) < 0.1] = HOME_RAD
        way = starts + rng.random((size, 1)) * (goals - starts) + self._noise(size, 0.003, 0.05)
        near = goals + self._noise(size, 0.002, 0.1)
        anywhere = starts + self._noise(size, 0.05, 0.2)
        kind = rng.choice(3, size=(size, 1), p=(0.4, 0.4, 0.2))
        poses: Array = np.select([kind == 0, kind == 1], [way, near], anywhere)
        return np.clip(poses, LOWER_RAD, UPPER_RAD)

    def _noise(self, size: int, low_rad: float, high_rad: float) -> Array:
        """Normal noise whose size is itself drawn, evenly on a logarithmic scale: (size, 7)."""
        scale = np.exp(self._rng.uniform(np.log(low_rad), np.log(high_rad), (size, 1)))
        return scale * self._rng.normal(size=(size, 7))
