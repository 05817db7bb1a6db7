"""The flags of `rt-infer robot`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from rt_infer.config.checks import (
    LEROBOT,
    above_zero,
    between,
    no_checkpoint_of_hold,
    picture,
    text,
)
from rt_infer.config.motion import MAX_CHUNK, MotionConfig
from rt_infer.flag_tree import flag
from rt_infer.robots.registry import RobotConfig
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.messages import MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_TASK_BYTES

Aggregate = Literal[
    "weighted_average", "latest_only", "average", "conservative", "crossfade", "offset_decay"
]
AGGREGATES: tuple[str, ...] = get_args(Aggregate)


@dataclass(kw_only=True)
class RealtimeConfig:
    """What the 1 kHz loop asks of the operating system."""

    priority: int = flag("SCHED_FIFO priority of the loop, 1 to 99; 0 asks for none", default=80)
    cpu: int | None = flag("the one CPU that the loop is bound to", default=None)
    require: bool = flag("give up if the system refuses any of it", default=False)

    def __post_init__(self) -> None:
        between("rt.priority", self.priority, 0, 99)
        if self.cpu is not None:
            between("rt.cpu", self.cpu, 0, 4095)


@dataclass(kw_only=True)
class RunConfig:
    """`rt-infer robot`"""

    robot: RobotConfig = flag("which robot this is", group="robot")
    server_address: str = flag(
        "the policy server: host:port, unix:///path, or auto",
        default="127.0.0.1:8080",
        group="server",
    )
    token_file: str = flag(
        "a file whose first line is the server's token", default="", group="server"
    )
    connect_timeout_s: float = flag(
        "give up if there is no first connection for so long, s; a connection lost later is tried "
        "again for ever",
        default=30.0,
        group="server",
    )
    policy_type: str = flag("which policy the server runs, e.g. reach or hold", group="policy")
    pretrained_name_or_path: str = flag(
        "its checkpoint, as the server finds it; empty: the shipped one", default="", group="policy"
    )
    policy_device: str = flag(
        "where the server runs it: cpu, cuda or mps", default="cpu", group="policy"
    )
    actions_per_chunk: int = flag("actions in one answer", default=50, group="policy")
    task: str = flag("instruction for the policy", default="", group="policy")
    fps: float = flag("actions a second", default=30.0, group="motion")
    chunk_size_threshold: float = flag(
        "ask for the next chunk when this fraction of one is left, 0 to 1",
        default=0.5,
        group="motion",
    )
    aggregate_fn_name: Aggregate = flag(
        "how a new chunk meets the actions still queued", default="weighted_average", group="motion"
    )
    motion: MotionConfig = flag("", factory=MotionConfig, group="motion")
    max_start_distance: float = flag(
        "refuse a first target further than this from the arm, rad, worst joint",
        default=0.5,
        group="motion",
    )
    start: Literal["refuse", "move"] = flag(
        "what to do about a first target that is further: end the run, or go there first, slowly",
        default="refuse",
        group="motion",
    )
    max_age_s: float = flag(
        "refuse chunks whose observation is older, s", default=2.0, group="motion"
    )
    duration_s: float | None = flag(
        "stop after so long, s, counted from when the policy is ready, without pauses",
        default=None,
        group="run",
    )
    report: str | None = flag("write what happened to this JSON file", default=None, group="run")
    plot: str | None = flag("draw the motion into this PNG file", default=None, group="run")
    record: str | None = flag(
        "record the run into this file, to replay or analyse it", default=None, group="run"
    )
    rt: RealtimeConfig = flag("", factory=RealtimeConfig, group="realtime")
    client_device: str | None = flag(
        "", default=None, group=LEROBOT, notice="the robot's side needs no device."
    )
    debug_visualize_queue_size: bool | None = flag(
        "", default=None, group=LEROBOT, notice="the panel shows the queue; --plot draws the run."
    )

    def __post_init__(self) -> None:
        parse_address(self.server_address)
        if not self.policy_type:
            raise ValueError("--policy_type must name a policy, e.g. reach.")
        text("policy_type", self.policy_type, MAX_NAME_BYTES)
        text("policy_device", self.policy_device, MAX_NAME_BYTES)
        text("pretrained_name_or_path", self.pretrained_name_or_path, MAX_PATH_BYTES)
        text("task", self.task, MAX_TASK_BYTES)
        no_checkpoint_of_hold(self.policy_type, self.pretrained_name_or_path)
        between("actions_per_chunk", self.actions_per_chunk, 1, MAX_CHUNK)
        between("chunk_size_threshold", self.chunk_size_threshold, 0.0, 1.0)
        between("fps", self.fps, 1.0, 1000.0, " actions a second")
        between("max_start_distance", self.max_start_distance, 0.0, 2 * math.pi, " rad")
        above_zero("max_age_s", self.max_age_s, " seconds")
        above_zero("connect_timeout_s", self.connect_timeout_s, " seconds")
        above_zero("duration_s", self.duration_s, " seconds")
        picture(self.plot)
