"""The arm's kinematics as the conversion of actions needs them (csrc/kinematics, GIL released)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rt_infer import _core

Array = npt.NDArray[np.float64]

AT_LEISURE_S = 60.0
"""Time enough for any joint to get anywhere in its range."""

ROUNDING_RAD = 1e-6


class Inverse:
    """One arm with its tool and its boxes; plain values, any thread."""

    def __init__(
        self,
        tcp: Sequence[float],
        fps: float,
        box_m: tuple[Array, Array],
        joints_rad: tuple[Array, Array],
    ) -> None:
        """`tcp` is [x, y, z, roll, pitch, yaw] in the flange's frame, m and rad; `fps` steps/s.

        `box_m` is where flange and TCP may be, lowest and highest, (3,) each, infinite where it is
        open; `joints_rad` the joints' range, lowest and highest, (7,) each.
        """
        self._tcp = np.asarray(tcp, dtype=np.float64)
        self._step_s = 1.0 / fps
        self._box_m = box_m
        self._open = not np.isfinite(box_m).any()
        # Waypoints go to the core as float32: none may round to beyond what it leaves as it is.
        self._joints_rad = joints_rad[0] + ROUNDING_RAD, joints_rad[1] - ROUNDING_RAD

    def tcp_pose(self, q_rad: Array) -> Array:
        """The TCP in the base frame: (7,) -> (4, 4)."""
        return _core.forward(q_rad, self._tcp)

    def follow(self, poses: Array, q_rad: Array) -> tuple[Array, Array]:
        """Joint waypoints for TCP poses: (T, 4, 4) -> (T, 7) rad, and what each misses, (T, 2).

        The first is looked for from `q_rad` (7,) however far it is, so that the core can refuse a
        start that is too far away; each of the others within what the joints can do in a step. A
        pose that cannot be reached gives the nearest that can, and misses it by [m, rad].
        """

        first, miss = self._follow(q_rad, poses[:1], AT_LEISURE_S)
        others, misses = self._follow(first[0], poses[1:], self._step_s)
        return np.concatenate([first, others]), np.concatenate([miss, misses])

    def keep_in_box(self, waypoints_rad: Array, q_rad: Array) -> tuple[Array, int]:
        """Joint waypoints (T, 7) with the hand inside the box, and how many are not as they were.

        `q_rad` (7,) is where the arm was told to be before the first, which again may be far.
        """
        if self._open:
            return waypoints_rad, 0
        first, one = self._pull(q_rad, waypoints_rad[:1], AT_LEISURE_S)
        others, more = self._pull(first[0], waypoints_rad[1:], self._step_s)
        return np.concatenate([first, others]), one + more

    def _follow(self, seed_rad: Array, poses: Array, step_s: float) -> tuple[Array, Array]:
        return _core.follow_poses(seed_rad, poses, self._tcp, step_s, *self._joints_rad)

    def _pull(self, seed_rad: Array, waypoints_rad: Array, step_s: float) -> tuple[Array, int]:
        return _core.keep_in_box(
            waypoints_rad, *self._box_m, self._tcp, step_s, seed_rad, *self._joints_rad
        )
