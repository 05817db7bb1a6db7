"""Demonstrations for behaviour cloning, drawn afresh for every batch: nothing is stored.

A demonstration is a picture from each camera, joint angles, and the expert's next fifty targets.
Arm poses come from three places, because the closed loop visits all of them: along the expert's way
from one marker to the next, close around the goal (where precision counts, and where the finger
hides part of the marker), and anywhere nearby. Markers are drawn from a slightly larger box than
the scene's, so that its corners are not the edge of what was learned.

Each pair of pictures serves `POSES_PER_PICTURE` joint states: the one in the picture and others
close to it. The pictures tell where the marker is; where the arm is, the joints tell better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from examples.reach.expert import chunk_rad, goal_rad
from rt_infer.robots.fr3_kinematics import HOME_RAD, LOWER_RAD, UPPER_RAD, Array
from rt_infer.robots.reach_render import CAMERAS, FRAME_SHAPE, CameraView
from rt_infer.robots.reach_scene import MARKER_HIGH_M, MARKER_LOW_M

POSES_PER_PICTURE = 4
MARGIN_M = 0.015


@dataclass(frozen=True)
class Batch:
    """B pictures, and P joint states for each."""

    pictures: NDArray[np.uint8]  # (B, cameras, 240, 320, 3)
    marker_px: Array  # (B, cameras, 2): column and row of the marker's centre
    q_rad: Array  # (B, P, 7): the first of P is the pose in the picture
    targets_rad: Array  # (B, P, T, 7)


class Demonstrations:
    """An endless, seeded source of batches."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._views = [CameraView(camera) for camera in CAMERAS]

    def batch(self, size: int) -> Batch:
        """Draw `size` scenes, render them, and ask the expert."""
        markers = self._markers(size)
        goals = goal_rad(markers)
        poses = self._poses(goals)
        pictures = np.empty((size, len(self._views), *FRAME_SHAPE), dtype=np.uint8)
        for i in range(size):
            for view, picture in zip(self._views, pictures[i], strict=True):
                view.render(poses[i], markers[i], picture)
        marker_px = np.stack([view.project(markers)[:, :2] for view in self._views], axis=1)
        q = np.repeat(poses[:, None], POSES_PER_PICTURE, axis=1)
        q[:, 1:] = self._jittered(q[:, 1:], goals[:, None])
        return Batch(pictures, marker_px, q, chunk_rad(q, goals[:, None]))

    def states(self, size: int) -> tuple[Array, Array]:
        """Joint states (size, 7) and the expert's targets (size, T, 7), without pictures."""
        goals = goal_rad(self._markers(size))
        poses = self._poses(goals)
        return poses, chunk_rad(poses, goals)

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

    def _jittered(self, poses: Array, goals: Array) -> Array:
        """The poses moved a little way towards the goal or back, and sideways."""
        along = self._rng.normal(0.0, 0.3, (*poses.shape[:-1], 1)) * (goals - poses)
        size = int(np.prod(poses.shape[:-1]))
        moved = poses + along + self._noise(size, 0.002, 0.05).reshape(poses.shape)
        return np.clip(moved, LOWER_RAD, UPPER_RAD)

    def _noise(self, size: int, low_rad: float, high_rad: float) -> Array:
        """Normal noise whose size is itself drawn, evenly on a logarithmic scale."""
        scale = np.exp(self._rng.uniform(np.log(low_rad), np.log(high_rad), (size, 1)))
        return scale * self._rng.normal(size=(size, 7))
