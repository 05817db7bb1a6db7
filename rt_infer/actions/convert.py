"""Chunks of any kind of actions as what the core follows: joint waypoints, tool values beside them.

One converter a connection, called by the uplink's thread. Nothing is kept from one chunk to the
next but what is counted, so that a chunk means the same whatever came before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rt_infer.actions.inverse import Inverse
from rt_infer.actions.joints import JOINT_KINDS, joint_waypoints
from rt_infer.actions.names import Layout
from rt_infer.actions.poses import tcp_poses
from rt_infer.actions.rotations import NoRotation

Array = npt.NDArray[np.float64]

REACHED_M = 1e-3
REACHED_RAD = 1e-2


class BadActions(ValueError):
    """A chunk that must not move the arm: a sentence, and the report's word for it."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


@dataclass
class ActionCounts:
    """What was done to actions on their way to the core, over all connections of a run."""

    unreachable: int = 0  # poses missed by more than REACHED_M or REACHED_RAD
    boxed: int = 0  # waypoints that were pulled into the workspace box
    told: dict[str, str] = field(default_factory=dict)  # what a user should know of them

    def missed(self, misses: Array) -> None:
        """`misses` (T, 2) [m, rad] is what is left between waypoints and their poses."""
        far = (misses > (REACHED_M, REACHED_RAD)).any(axis=1)
        if far.any():
            self.unreachable += int(far.sum())
            farthest_m, farthest_rad = misses.max(axis=0)
            self.told.setdefault(
                "unreachable",
                "The policy asks for poses that the arm cannot reach, or not so fast; it takes the "
                f"nearest ones (up to {farthest_m:.3f} m and {farthest_rad:.2f} rad away).",
            )

    def pulled(self, waypoints: int) -> None:
        """So many more waypoints had to be pulled into the workspace box."""
        if waypoints:
            self.boxed += waypoints
            self.told.setdefault(
                "boxed",
                "The policy's targets leave --motion.box; the arm takes the nearest ones inside.",
            )


class Converter:
    """Turns the chunks of one policy into waypoints of one arm."""

    def __init__(
        self, layout: Layout, inverse: Inverse, fps: float, counts: ActionCounts, most: int
    ) -> None:
        self.layout = layout
        self._inverse = inverse
        self._fps = fps
        self._counts = counts
        self._most = most

    def waypoints(
        self, actions: npt.NDArray[np.float32], q_rad: Array, q_command_rad: Array
    ) -> npt.NDArray[np.float32]:
        """A chunk (T, A) as (N, 7 + tools): rad, then tool values; N is T, or T + 1 of changes.

        Row i belongs to the policy step of the chunk's observation + i. `q_rad` (7,) is where the
        joints were measured then, `q_command_rad` where they were told to be. BadActions: the chunk
        must not move the arm.
        """
        layout = self.layout
        values = actions[:, layout.columns].astype(np.float64)
        if layout.kind in JOINT_KINDS:
            q_waypoints = joint_waypoints(
                layout.kind, values, fps=self._fps, q_rad=q_rad, q_command_rad=q_command_rad
            )
        else:
            q_waypoints = self._follow(values, q_command_rad)
        q_waypoints = q_waypoints[: self._most]
        _check(q_waypoints)
        q_waypoints, boxed = self._inverse.keep_in_box(q_waypoints, q_command_rad)
        self._counts.pulled(boxed)
        tools = actions[:, layout.tools]
        missing = len(q_waypoints) - len(tools)
        if missing > 0:  # the last action's holds to the end of its step
            tools = np.concatenate([tools, tools[-missing:]])
        return np.concatenate([q_waypoints, tools[: len(q_waypoints)]], axis=1, dtype=np.float32)

    def _follow(self, values: Array, q_command_rad: Array) -> Array:
        try:
            poses = tcp_poses(self.layout.kind, values, self._inverse.tcp_pose(q_command_rad))
        except NoRotation as error:
            raise BadActions("no_pose", str(error)) from None
        _check(poses)
        q_waypoints, misses = self._inverse.follow(poses, q_command_rad)
        self._counts.missed(misses)
        return q_waypoints


def _check(values: Array) -> None:
    """What goes to the core is float32: it must be finite there, too."""
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise BadActions("not_finite", "The policy's actions add up to what is no number.")
