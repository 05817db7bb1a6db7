"""Where an arm may be: a range for each joint, and a box for its hand. Pure numpy.

Both come from the command line as mappings of what is bounded; what is left out is not bounded
further than the arm itself. A mapping that makes no sense raises ValueError with a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rt_infer.robots.fr3_kinematics import LOWER_RAD, UPPER_RAD, flange_pose

Array = npt.NDArray[np.float64]

AXES = ("x", "y", "z")
THINNEST_M = 0.02  # targets stay 5 mm inside
FARTHEST_TCP_M = 1.0
NARROWEST_RAD = 0.1  # the arm comes to rest up to 32 mrad before the end of a joint's range


class WorkspaceBox(NamedTuple):
    """Where flange and TCP may be, (3,) each, m in the robot's base frame; infinite: open there."""

    lower_m: Array
    upper_m: Array

    @property
    def is_open(self) -> bool:
        return not (np.isfinite(self.lower_m).any() or np.isfinite(self.upper_m).any())


class JointBox(NamedTuple):
    """The range of each joint, (7,) each, rad; never wider than the arm's own."""

    lower_rad: Array
    upper_rad: Array


def workspace_box(sides: Mapping[str, Sequence[float]]) -> WorkspaceBox:
    """The box of --motion.box: an axis' name to its least and greatest value."""
    lower_m, upper_m = np.full(3, -np.inf), np.full(3, np.inf)
    for axis, bounds in sides.items():
        if axis not in AXES:
            raise ValueError(f"--motion.box has no axis {axis!r}; it has x, y and z.")
        low_m, high_m = _pair(f"--motion.box, {axis}", bounds, "m")
        if not high_m - low_m >= THINNEST_M:
            raise ValueError(
                f"--motion.box, {axis}: the box must be at least {THINNEST_M:g} m thick, and "
                f"{low_m:g} to {high_m:g} m is not; give [least, greatest]."
            )
        lower_m[AXES.index(axis)], upper_m[AXES.index(axis)] = low_m, high_m
    return WorkspaceBox(lower_m, upper_m)


def joint_box(ranges: Mapping[str, Sequence[float]]) -> JointBox:
    """The box of --motion.joint_box: a joint's number, 1 to 7, to its least and greatest angle."""
    lower_rad, upper_rad = LOWER_RAD.copy(), UPPER_RAD.copy()
    for number, bounds in ranges.items():
        if number not in {str(i) for i in range(1, 8)}:
            raise ValueError(f"--motion.joint_box has no joint {number!r}; joints are 1 to 7.")
        j = int(number) - 1
        low_rad, high_rad = _pair(f"--motion.joint_box, joint {number}", bounds, "rad")
        if low_rad < LOWER_RAD[j] or high_rad > UPPER_RAD[j]:
            raise ValueError(
                f"--motion.joint_box, joint {number}: {low_rad:g} to {high_rad:g} rad is outside "
                f"the arm's range, {LOWER_RAD[j]:g} to {UPPER_RAD[j]:g} rad."
            )
        if not high_rad - low_rad >= NARROWEST_RAD:
            raise ValueError(
                f"--motion.joint_box, joint {number}: the range must be at least "
                f"{NARROWEST_RAD:g} rad wide, and {low_rad:g} to {high_rad:g} rad is not; give "
                "[least, greatest]."
            )
        lower_rad[j], upper_rad[j] = low_rad, high_rad
    return JointBox(lower_rad, upper_rad)


def check_tcp(tcp: Sequence[float]) -> None:
    """Raises ValueError unless --robot.tcp is a place near a hand and a rotation."""
    if len(tcp) != 6 or not all(math.isfinite(value) for value in tcp):
        raise ValueError(
            "--robot.tcp takes six numbers, [x, y, z, roll, pitch, yaw], in m and rad."
        )
    if max(map(abs, tcp[:3])) > FARTHEST_TCP_M:
        raise ValueError(
            f"--robot.tcp is {max(map(abs, tcp[:3])):g} m from the flange; a tool is at most "
            f"{FARTHEST_TCP_M:g} m long: give metres."
        )


def outside(q_rad: Array, tcp: Sequence[float], box: WorkspaceBox, joints: JointBox) -> str | None:
    """Which box an arm at `q_rad` (7,) is outside of, and how far, in one sentence; None: inside.

    `tcp` is [x, y, z, …] in the flange's frame, m.
    """
    j = int(np.argmax(np.maximum(joints.lower_rad - q_rad, q_rad - joints.upper_rad)))
    if not joints.lower_rad[j] <= q_rad[j] <= joints.upper_rad[j]:
        return (
            f"Joint {j + 1} starts at {q_rad[j]:.3f} rad, outside --motion.joint_box "
            f"({joints.lower_rad[j]:g} to {joints.upper_rad[j]:g}): it may only move inward."
        )
    flange = flange_pose(q_rad)
    points_m = {"flange": flange[:3, 3], "TCP": (flange @ [*tcp[:3], 1.0])[:3]}
    for name, point_m in points_m.items():
        for axis, at_m, low_m, high_m in zip(AXES, point_m, box.lower_m, box.upper_m, strict=True):
            if not low_m <= at_m <= high_m:
                return (
                    f"The {name} starts at {axis} = {at_m:.3f} m, outside --motion.box "
                    f"({low_m:g} to {high_m:g}): it may only move inward."
                )
    return None


def _pair(what: str, bounds: Sequence[float], unit: str) -> tuple[float, float]:
    if len(bounds) != 2 or not all(math.isfinite(bound) for bound in bounds):
        raise ValueError(f"{what} takes [least, greatest], two numbers in {unit}.")
    return bounds[0], bounds[1]
