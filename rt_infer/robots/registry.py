"""The robots that --robot.type can name, and what the network process needs from one.

A robot here is a description, not a driver: the arm itself is driven by the core process, which
is told with `Robot.arm` which one it is. LeRobot's robot classes are not used, since their base
imports torch; the names of flags and features are the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import draccus
from numpy.typing import ArrayLike

from rt_infer.cameras.base import Camera
from rt_infer.cameras.synthetic import LatestArm
from rt_infer.flag_tree import flag
from rt_infer.grippers.base import GripperConfig


@dataclass(kw_only=True)
class RobotConfig(draccus.ChoiceRegistry):
    """Flags that every robot has; `type` chooses the class."""

    id: str = flag("name of this robot; one process may drive a name at a time")

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}", self.id):
            raise ValueError(
                f"--robot.id={self.id or ' (empty)'} must be up to 48 letters, digits, '_', '-' "
                "and '.', beginning with a letter or digit."
            )

    def build(self) -> Robot:
        """The robot that this configuration describes; raises ValueError with a sentence."""
        raise NotImplementedError


class Task(Protocol):
    """Keeps the score of what a robot can judge by itself. Called from one thread."""

    @property
    def done(self) -> bool: ...

    def update(self, q_rad: ArrayLike, time_s: float) -> None:
        """The arm was measured at `q_rad` (7,) at `time_s`; times must not go back."""
        ...

    def score(self) -> dict[str, int]: ...


class Robot(Protocol):
    """What a run asks of a robot."""

    @property
    def type(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def arm(self) -> dict[str, Any]:
        """What the core process is told, JSON: {"type": …, …}."""
        ...

    @property
    def state_names(self) -> tuple[str, ...]:
        """The joints, then what is measured of the tools."""
        ...

    @property
    def action_names(self) -> tuple[str, ...]:
        """The joints."""
        ...

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the action's values that are not for the joints; `gripper` takes them."""
        ...

    @property
    def gripper(self) -> GripperConfig | None: ...

    @property
    def tcp(self) -> Sequence[float]:
        """The tool centre point in the flange's frame: [x, y, z, roll, pitch, yaw], m and rad."""
        ...

    @property
    def task(self) -> Task | None: ...

    def cameras(self, latest_arm: LatestArm) -> Sequence[Camera]:
        """The robot's cameras; `latest_arm` is for those that only pretend to look."""
        ...
