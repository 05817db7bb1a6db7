"""Every flag of every command, in one place: names, defaults, units, and what is refused.

The names are LeRobot's where LeRobot has the thing (its async inference guide); the rest follows
docs/architecture.md. Times end in _s and are seconds. Values that make no sense raise ValueError
with a sentence, from the command line, a file, or Python alike.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, fields
from typing import Any, Literal

from rt_infer.flag_tree import flag
from rt_infer.policies.registry import HOLD
from rt_infer.robots import sim_fr3 as _sim_fr3
from rt_infer.robots.boxes import joint_box, workspace_box
from rt_infer.robots.registry import RobotConfig
from rt_infer.wire.addresses import parse_address
from rt_infer.wire.messages import MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_TASK_BYTES

MAX_CHUNK = 512  # RTI_MAX_CHUNK of rt_infer.h: one chunk must fit into half the action ring

_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")

_LEROBOT = "accepted because LeRobot has them"


def _between(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not low <= value <= high:
        raise ValueError(f"--{name} must be {low:g} to {high:g}{unit}, not {value:g}.")


def _above_zero(name: str, value: float | None, unit: str = "") -> None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise ValueError(f"--{name} must be above zero{unit}, not {value:g}.")


def _text(name: str, text: str, most: int) -> None:
    """What goes over the wire: text of at most so many bytes."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        raise ValueError(f"--{name} is not text in UTF-8.") from None
    if length > most:
        raise ValueError(f"--{name} has {length} bytes; give at most {most}.")


def _picture(path: str | None) -> None:
    if path and not path.lower().endswith(".png"):
        raise ValueError(f"--plot={path} must end in .png, which is what is drawn.")


def _no_checkpoint_of_hold(policy_type: str, path: str) -> None:
    if policy_type == HOLD and path:
        raise ValueError(
            f"--pretrained_name_or_path={path} has no use: hold has no checkpoint; leave it out."
        )


@dataclass(kw_only=True)
class ServerConfig:
    """`rt-infer server`"""

    host: str = flag("address to listen on", default="127.0.0.1", group="listening")
    port: int = flag("TCP port; 0 takes a free one", default=8080, group="listening")
    unix: str = flag("also listen on a Unix socket of this path", default="", group="listening")
    token_file: str = flag(
        "a file whose first line every robot must know", default="", group="listening"
    )
    insecure: bool = flag(
        "allow a --host beyond this machine without encryption; needs --token_file",
        default=False,
        group="listening",
    )
    policy_type: str = flag(
        "load this policy at the start instead of when the first robot asks",
        default="",
        group="policy",
    )
    pretrained_name_or_path: str = flag("its checkpoint", default="", group="policy")
    policy_device: str = flag("cpu, cuda, cuda:1 or mps", default="cpu", group="policy")
    allow_python: list[str] = flag(
        "a Python factory, package.module:function, that robots may name as a policy; may be "
        "given several times",
        factory=list,
        group="policy",
    )
    fps: float | None = flag(
        "", default=None, group=_LEROBOT, notice="each robot tells the server its own rate."
    )
    inference_latency: float | None = flag(
        "", default=None, group=_LEROBOT, notice="answers are never delayed on purpose."
    )
    obs_queue_timeout: float | None = flag(
        "", default=None, group=_LEROBOT, notice="the newest observation is served at once."
    )

    def __post_init__(self) -> None:
        _between("port", self.port, 0, 65535)
        for factory in self.allow_python:
            if not _FACTORY.fullmatch(factory):
                raise ValueError(
                    f"--allow_python={factory} is no package.module:function; name a module, a "
                    "colon, and the function in it that makes the policy."
                )
        _no_checkpoint_of_hold(self.policy_type, self.pretrained_name_or_path)
        if self.pretrained_name_or_path and not self.policy_type:
            raise ValueError("--pretrained_name_or_path needs --policy_type to say what it is.")

    def options(self) -> dict[str, Any]:
        """What the server itself is told: everything but LeRobot's flags."""
        ours = (each for each in fields(self) if not each.metadata["notice"])
        return {each.name: getattr(self, each.name) for each in ours}


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
        _between("motion.tolerance", self.tolerance, 0.0, 0.05, " rad")
        _between("motion.crossfade_steps", self.crossfade_steps, 1.0, MAX_CHUNK, " actions")
        _between("motion.offset_decay_s", self.offset_decay_s, 0.01, 10.0, " s")
        _between("motion.start_speed", self.start_speed, 0.01, 1.0, " rad/s")
        workspace_box(self.box)  # raise the sentences about those two
        joint_box(self.joint_box)


@dataclass(kw_only=True)
class RealtimeConfig:
    """What the 1 kHz loop asks of the operating system."""

    priority: int = flag("SCHED_FIFO priority of the loop, 1 to 99; 0 asks for none", default=80)
    cpu: int | None = flag("the one CPU that the loop is bound to", default=None)
    require: bool = flag("give up if the system refuses any of it", default=False)

    def __post_init__(self) -> None:
        _between("rt.priority", self.priority, 0, 99)
        if self.cpu is not None:
            _between("rt.cpu", self.cpu, 0, 4095)


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
    aggregate_fn_name: Literal[
        "weighted_average", "latest_only", "average", "conservative", "crossfade", "offset_decay"
    ] = flag(
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
        "", default=None, group=_LEROBOT, notice="the robot's side needs no device."
    )
    debug_visualize_queue_size: bool | None = flag(
        "", default=None, group=_LEROBOT, notice="the panel shows the queue; --plot draws the run."
    )

    def __post_init__(self) -> None:
        parse_address(self.server_address)
        if not self.policy_type:
            raise ValueError("--policy_type must name a policy, e.g. reach.")
        _text("policy_type", self.policy_type, MAX_NAME_BYTES)
        _text("policy_device", self.policy_device, MAX_NAME_BYTES)
        _text("pretrained_name_or_path", self.pretrained_name_or_path, MAX_PATH_BYTES)
        _text("task", self.task, MAX_TASK_BYTES)
        _no_checkpoint_of_hold(self.policy_type, self.pretrained_name_or_path)
        _between("actions_per_chunk", self.actions_per_chunk, 1, MAX_CHUNK)
        _between("chunk_size_threshold", self.chunk_size_threshold, 0.0, 1.0)
        _between("fps", self.fps, 1.0, 1000.0, " actions a second")
        _between("max_start_distance", self.max_start_distance, 0.0, 2 * math.pi, " rad")
        _above_zero("max_age_s", self.max_age_s, " seconds")
        _above_zero("connect_timeout_s", self.connect_timeout_s, " seconds")
        _above_zero("duration_s", self.duration_s, " seconds")
        _picture(self.plot)


@dataclass(kw_only=True)
class ReplayConfig:
    """`rt-infer replay`"""

    recording: str = flag("the file that --record wrote", positional=True)
    plot: str | None = flag("draw the recorded motion into this PNG file", default=None)
    json: bool = flag("print the outcome as JSON", default=False)

    def __post_init__(self) -> None:
        _picture(self.plot)


@dataclass(kw_only=True)
class DemoConfig:
    """`rt-infer demo`"""

    duration_s: float = flag("stop after so long, s, even if targets are left", default=50.0)
    targets: int = flag(
        "how many markers there are; the demo ends when all were reached or missed", default=10
    )
    seed: int = flag("which sequence of markers", default=0)
    patient: bool = flag(
        "the simulated arm waits for a late command instead of counting it as lost; always so "
        "where the system refuses realtime scheduling",
        default=False,
    )
    report: str | None = flag("write what happened to this JSON file", default=None)
    plot: str | None = flag("draw the motion into this PNG file", default=None)
    record: str | None = flag(
        "record the run into this file, to replay or analyse it", default=None
    )
    rt: RealtimeConfig = flag("", factory=RealtimeConfig, group="realtime")

    def __post_init__(self) -> None:
        self.run_config("127.0.0.1:1")  # the robot's own checks speak for themselves

    def run_config(self, server_address: str) -> RunConfig:
        """The robot command that the demo is."""
        shown: dict[str, Any] = {
            name: getattr(self, name) for name in ("duration_s", "report", "plot", "record", "rt")
        }
        return RunConfig(
            # Two demos on one machine are two robots.
            robot=_sim_fr3.SimFr3Config(
                id=f"demo-{os.getpid()}",
                seed=self.seed,
                targets=self.targets,
                patient=self.patient,
            ),
            server_address=server_address,
            policy_type="reach",
            **shown,
        )
