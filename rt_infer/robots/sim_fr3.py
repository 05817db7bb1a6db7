"""The simulated Franka FR3 with the reach scene in front of it.

The arm runs in the core process and enforces FCI's rules there; the scene, its cameras and its
score live in the network process and see the arm as it was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rt_infer.actions.names import GRIPPER
from rt_infer.cameras.base import Camera, CameraConfig
from rt_infer.cameras.synthetic import LatestArm, SyntheticCamera, SyntheticCameraConfig
from rt_infer.flag_tree import flag
from rt_infer.grippers.base import GripperConfig
from rt_infer.robots.boxes import check_tcp
from rt_infer.robots.fr3_kinematics import (
    HAND_TCP_M,
    HAND_YAW_RAD,
    HOME_RAD,
    LOWER_RAD,
    UPPER_RAD,
)
from rt_infer.robots.reach_scene import ReachScene
from rt_infer.robots.registry import RobotConfig, Task

JOINT_FEATURES = tuple(f"joint_{i}.pos" for i in range(1, 8))


def _two_cameras() -> dict[str, CameraConfig]:
    return {view: SyntheticCameraConfig(view=view) for view in ("front", "side")}


def _home() -> list[float]:
    return [round(float(angle), 6) for angle in HOME_RAD]


def _franka_hand() -> list[float]:
    return [0.0, 0.0, HAND_TCP_M, 0.0, 0.0, round(HAND_YAW_RAD, 6)]


@RobotConfig.register_subclass("sim_fr3")
@dataclass(kw_only=True)
class SimFr3Config(RobotConfig):
    """Flags of --robot.type=sim_fr3."""

    cameras: dict[str, CameraConfig] = flag(
        "cameras by name; default: '{front: {type: synthetic, view: front, fps: 30}, "
        "side: {type: synthetic, view: side, fps: 30}}'",
        factory=_two_cameras,
    )
    gripper: GripperConfig | None = flag(
        "the gripper: '{type: sim}' or '{type: robotiq_2f, port: /dev/ttyUSB0}'; default: none",
        default=None,
    )
    tcp: list[float] = flag(
        "the tool centre point in the flange's frame, [x, y, z, roll, pitch, yaw], m and rad; "
        "default: that of the Franka Hand",
        factory=_franka_hand,
    )
    seed: int = flag("which sequence of markers the scene shows", default=0)
    targets: int = flag(
        "how many markers there are; the run ends when all were reached or missed", default=10
    )
    target_timeout_s: float = flag("seconds until a marker counts as missed", default=6.0)
    start_pose_rad: list[float] = flag("where the seven joints start, rad", factory=_home)
    natural_frequency_rad_s: float = flag(
        "how fast the joints follow, rad/s; at constant speed a joint is 2/this behind",
        default=100.0,
    )

    patient: bool = flag(
        "the simulated arm waits for a late command instead of counting it as lost: for a machine "
        "that cannot keep time",
        default=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        pose = np.asarray(self.start_pose_rad, dtype=np.float64)
        if pose.shape != (7,) or not np.all((pose > LOWER_RAD) & (pose < UPPER_RAD)):
            raise ValueError(
                "--robot.start_pose_rad must be seven angles inside the FR3's joint limits, rad."
            )
        check_tcp(self.tcp)
        if not 5.0 <= self.natural_frequency_rad_s <= 1000.0:
            raise ValueError(
                "--robot.natural_frequency_rad_s must be 5 to 1000 rad/s, "
                f"not {self.natural_frequency_rad_s:g}."
            )
        if self.seed < 0:
            raise ValueError(f"--robot.seed must not be negative; it is {self.seed}.")
        ReachScene(0, self.targets, self.target_timeout_s)  # raises the sentence about those two

    def build(self) -> SimFr3:
        return SimFr3(self)


class SimFr3:
    """A `Robot`: the simulated arm, the scene it reaches into, and the cameras that look at it."""

    type = "sim_fr3"
    action_names = JOINT_FEATURES

    def __init__(self, config: SimFr3Config) -> None:
        self.id = config.id
        self.gripper = config.gripper
        self.tools: tuple[str, ...] = (GRIPPER,) if config.gripper else ()
        self.state_names = JOINT_FEATURES + self.tools
        self.tcp = tuple(config.tcp)
        self._cameras = config.cameras
        self._scene = ReachScene(config.seed, config.targets, config.target_timeout_s)
        self.arm: dict[str, Any] = {
            "type": "sim_fr3",
            "start_pose_rad": list(config.start_pose_rad),
            "natural_frequency_rad_s": [config.natural_frequency_rad_s] * 7,
            "patient": config.patient,
        }

    @property
    def task(self) -> Task:
        return self._scene

    def cameras(self, latest_arm: LatestArm) -> Sequence[Camera]:
        opened = []
        for name, config in self._cameras.items():
            if not isinstance(config, SyntheticCameraConfig):
                raise ValueError(f"sim_fr3 has synthetic cameras only; camera {name!r} is another.")
            opened.append(SyntheticCamera(name, config, self._scene.render, latest_arm))
        return opened
