"""The world of the shipped `reach` policy: markers to touch one after another, and the score.

The robot process shows the scene to the policy through two cameras and tells it where the arm is;
the scene keeps the score. There is no clock inside: time is what the caller passes in.

Rules. A marker is reached when the fingertip stays within `REACH_RADIUS_M` of its centre for
`DWELL_S`; it is missed when that has not happened `target_timeout_s` after it appeared. Either way
the next one appears at once, at least `MIN_STEP_M` from the last. The same seed gives the same
markers. After the last one the scene is `done`, and that marker stays in sight so that the policy
keeps the arm at rest there.

Threads: one thread calls `update`; each camera may be rendered by one thread of its own at the same
time (`render` reads the marker once, a single reference).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rt_infer.robots.fr3_kinematics import HOME_RAD, tip_position_m
from rt_infer.robots.reach_render import CAMERAS, FRAME_SHAPE, Array, CameraView, Image

REACH_RADIUS_M = 0.02
DWELL_S = 0.2
MIN_STEP_M = 0.12

MARKER_LOW_M: Array = np.array([0.35, -0.25, 0.10])
MARKER_HIGH_M: Array = np.array([0.60, 0.25, 0.35])
"""Corners of the box that markers are drawn from: above the table, in reach with the hand down."""

CAMERA_SHAPES: dict[str, tuple[int, int, int]] = dict.fromkeys(CAMERAS, FRAME_SHAPE)


def random_markers(
    rng: np.random.Generator, count: int, start_tip_m: ArrayLike | None = None
) -> Array:
    """`count` marker places (count, 3), uniform in the box, each far enough from the one before.

    `start_tip_m` is where the fingertip begins; the first marker keeps its distance from it too.
    """
    last = tip_position_m(HOME_RAD) if start_tip_m is None else np.asarray(start_tip_m)
    markers = np.empty((count, 3))
    for i in range(count):
        while True:
            candidate = rng.uniform(MARKER_LOW_M, MARKER_HIGH_M)
            if np.linalg.norm(candidate - last) >= MIN_STEP_M:
                break
        markers[i] = last = candidate
    return markers


class ReachScene:
    """`targets` markers in an order fixed by `seed`, two cameras, and the score."""

    def __init__(self, seed: int, targets: int = 10, target_timeout_s: float = 6.0) -> None:
        if targets < 1 or not target_timeout_s > DWELL_S:
            raise ValueError(
                f"A reach scene needs at least one target and a timeout above {DWELL_S} s; "
                f"got {targets} targets and {target_timeout_s} s."
            )
        self._markers = random_markers(np.random.default_rng(seed), targets)
        self._timeout_s = target_timeout_s
        self._views = {camera: CameraView(camera) for camera in CAMERAS}
        self._index = 0
        self._reached = 0
        self._marker: Array = self._markers[0]
        self._appeared_s: float | None = None
        self._inside_since_s: float | None = None

    @property
    def marker_m(self) -> Array:
        """Place of the marker in sight, (3,) metres in the base frame."""
        return self._marker

    @property
    def done(self) -> bool:
        """All targets have been reached or missed."""
        return self._index >= len(self._markers)

    def score(self) -> dict[str, int]:
        """`targets`: how many were reached or missed so far; `reached`: how many were reached."""
        return {"targets": self._index, "reached": self._reached}

    def render(self, camera: str, q_rad: ArrayLike, out: Image) -> None:
        """Draw what `camera` ("front" or "side") sees into `out`, uint8 (240, 320, 3), in place."""
        try:
            view = self._views[camera]
        except KeyError:
            raise ValueError(
                f"There is no camera {camera!r}; choose one of {sorted(CAMERAS)}."
            ) from None
        view.render(q_rad, self._marker, out)

    def update(self, q_rad: ArrayLike, time_s: float) -> None:
        """Tell the scene that the arm was at `q_rad` (7,) at `time_s`; times must not go back."""
        if self.done:
            return
        if self._appeared_s is None:
            self._appeared_s = time_s
        if np.linalg.norm(tip_position_m(q_rad) - self._marker) > REACH_RADIUS_M:
            self._inside_since_s = None
        elif self._inside_since_s is None:
            self._inside_since_s = time_s
        reached = self._inside_since_s is not None and time_s - self._inside_since_s >= DWELL_S
        if reached or time_s - self._appeared_s >= self._timeout_s:
            self._reached += reached
            self._next(time_s)

    def _next(self, time_s: float) -> None:
        self._index += 1
        self._appeared_s, self._inside_since_s = time_s, None
        if not self.done:
            self._marker = self._markers[self._index]
