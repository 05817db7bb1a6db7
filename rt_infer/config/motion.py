"""The flags below --motion: how a policy's actions become motion, and where the arm may be."""

from __future__ import annotations

from dataclasses import dataclass

from rt_infer.config.checks import between
from rt_infer.flag_tree import flag
from rt_infer.robots.boxes import joint_box, workspace_box

MAX_CHUNK = 512  # RTI_MAX_CHUNK of rt_infer.h: one chunk must fit into half the action ring


@dataclass(kw_only=True)
class MotionConfig:
    """How fast the policy's actions are followed."""

    speed: float = flag("fraction of fps at which actions are followed, (0, 1]", default=1.0)
    tolerance: float = flag(
        "how far a target may be moved to take its noise out, rad, 0 to 0.05; 0: the path goes "
        "through every target",
        default=0.004,
    )
    crossfade_steps: float = flag(
        "--aggregate_fn_name=crossfade: actions until a new chunk has taken over", default=10.0
    )
    offset_decay_s: float = flag(
        "--aggregate_fn_name=offset_decay: time constant of what a new chunk is off the old one, s",
        default=0.3,
    )
    start_speed: float = flag(
        "how fast --start=move goes, rad/s, worst joint, 0.01 to 1", default=0.2
    )
    box: dict[str, list[float]] = flag(
        "where flange and TCP may be, m in the base frame: '{x: [0.2, 0.8], y: [-0.5, 0.5], "
        "z: [0.02, 1.2]}', each axis optional",
        factory=dict,
    )
    joint_box: dict[str, list[float]] = flag(
        "where joints may be, rad, by number: '{1: [-1.5, 1.5], 4: [-2.5, -0.5]}'", factory=dict
    )

    def __post_init__(self) -> None:
        if not 0.0 < self.speed <= 1.0:
            raise ValueError(f"--motion.speed must be above 0 and at most 1, not {self.speed:g}.")
        between("motion.tolerance", self.tolerance, 0.0, 0.05, " rad")
        between("motion.crossfade_steps", self.crossfade_steps, 1.0, MAX_CHUNK, " actions")
        between("motion.offset_decay_s", self.offset_decay_s, 0.01, 10.0, " s")
        between("motion.start_speed", self.start_speed, 0.01, 1.0, " rad/s")
        workspace_box(self.box)  # raise the sentences about those two
        joint_box(self.joint_box)
