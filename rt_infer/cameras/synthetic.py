"""A camera that looks at the reach scene: draws it as the simulated arm stands at that moment.

The frame's capture time is the time of the arm state that it shows, so that an observation pairs
the picture with exactly the joint angles in it. No new arm state, no new frame: a core that has
stopped leaves a frozen picture behind, as a dead camera would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import ArrayLike

from rt_infer.cameras.base import CameraConfig, Image
from rt_infer.flag_tree import flag
from rt_infer.robots.reach_render import CAMERAS, FRAME_SHAPE

Renderer = Callable[[str, ArrayLike, Image], None]
"""Draws what camera `view` sees with the arm at q (7,) [rad] into an image, in place."""

LatestArm = Callable[[], tuple[int, ArrayLike] | None]
"""When the arm was last measured [ns] and where, (7,) [rad]; None before the first time."""


@CameraConfig.register_subclass("synthetic")
@dataclass(kw_only=True)
class SyntheticCameraConfig(CameraConfig):
    """`{type: synthetic, view: front}`"""

    view: str = flag("which camera of the scene: front or side", default="front")
    fps: float = flag("frames per second", default=30.0)

    def __post_init__(self) -> None:
        if self.view not in CAMERAS:
            raise ValueError(
                f"A synthetic camera's view is one of {', '.join(CAMERAS)}, not {self.view!r}."
            )
        if not 1.0 <= self.fps <= 120.0:
            raise ValueError(f"A synthetic camera's fps is 1 to 120, not {self.fps:g}.")


class SyntheticCamera:
    """One view of the scene as a `Camera`."""

    def __init__(
        self, name: str, config: SyntheticCameraConfig, render: Renderer, latest_arm: LatestArm
    ) -> None:
        self.name = name
        self.shape = FRAME_SHAPE
        self.fps = config.fps
        self._view = config.view
        self._render = render
        self._latest_arm = latest_arm
        self._shown_ns = 0

    def capture(self, out: Image) -> int | None:
        """Draw the scene with the arm where it was last measured; None if that is not new."""
        arm = self._latest_arm()
        if arm is None or arm[0] <= self._shown_ns:
            return None
        self._shown_ns, q_rad = arm
        self._render(self._view, q_rad, out)
        return self._shown_ns
