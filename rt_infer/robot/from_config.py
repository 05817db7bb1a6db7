"""What the user wrote, as the parts of a run want to hear it; run.py starts and ends them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rt_infer import _core
from rt_infer.actions.inverse import Inverse
from rt_infer.config import RunConfig
from rt_infer.robot.core_process import CoreConfig
from rt_infer.robot.observe import Observer
from rt_infer.robot.region import CoreRegion
from rt_infer.robot.result import EXIT_USAGE, SetUpError
from rt_infer.robot.supply import Supply
from rt_infer.robot.wishes import Wishes
from rt_infer.robots.boxes import joint_box, outside, workspace_box
from rt_infer.robots.registry import Robot
from rt_infer.wire.client import Client
from rt_infer.wire.messages import ObservationSpec

ATTEMPT_S = 5.0  # one attempt to connect


def core_config(config: RunConfig, robot: Robot) -> CoreConfig:
    """What the core process is started with."""
    box, joints = workspace_box(config.motion.box), joint_box(config.motion.joint_box)
    return CoreConfig(
        arm=robot.arm,
        fps=config.fps,
        speed=config.motion.speed,
        max_age_s=config.max_age_s,
        max_start_distance_rad=config.max_start_distance,
        aggregate=config.aggregate_fn_name,
        tolerance_rad=config.motion.tolerance,
        crossfade_steps=config.motion.crossfade_steps,
        offset_decay_s=config.motion.offset_decay_s,
        joint_lower=joints.lower_rad.tolist(),
        joint_upper=joints.upper_rad.tolist(),
        box_min=box.lower_m.tolist(),
        box_max=box.upper_m.tolist(),
        tcp=robot.tcp,
        rt_priority=config.rt.priority,
        rt_cpu=config.rt.cpu,
        rt_require=config.rt.require,
    )


def supply(
    config: RunConfig,
    robot: Robot,
    region: CoreRegion,
    observer: Observer,
    wishes: Wishes,
    say: Callable[[str], None],
) -> Supply:
    """What asks for chunks and passes them on."""
    box, joints = workspace_box(config.motion.box), joint_box(config.motion.joint_box)
    return Supply(
        config,
        region,
        observer,
        Inverse(robot.tcp, config.fps, box_m=box, joints_rad=joints),
        robot.tools,
        _core.target_range(*joints),
        wishes,
        say,
    )


def connect(
    config: RunConfig,
    robot: Robot,
    observer: Observer,
    token: str | None,
    on_loading: Callable[[str], None],
) -> Client:
    """One attempt to connect to the server and agree on a policy; errors are the Client's."""
    return Client(
        config.server_address,
        ObservationSpec(state=list(robot.state_names), images=dict(observer.image_shapes)),
        policy_type=config.policy_type,
        pretrained_name_or_path=config.pretrained_name_or_path,
        policy_device=config.policy_device,
        actions_per_chunk=config.actions_per_chunk,
        token=token,
        robot_id=robot.id,
        connect_timeout_s=min(ATTEMPT_S, config.connect_timeout_s),
        on_loading=on_loading,
    )


def token(config: RunConfig) -> str | None:
    """What `--token_file` holds, if there is one. SetUpError: it cannot be had."""
    path = config.token_file
    if not path:
        return None
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetUpError(f"--token_file={path} cannot be read: {error}.", EXIT_USAGE) from error
    if not lines or not lines[0].strip():
        raise SetUpError(f"--token_file={path} is empty; put the token there.", EXIT_USAGE)
    return lines[0].strip()


def starts_outside(config: RunConfig, robot: Robot, q_rad: npt.NDArray[np.float64]) -> str | None:
    """What to tell of an arm (7,) that starts where the user's boxes would not let it go."""
    box, joints = workspace_box(config.motion.box), joint_box(config.motion.joint_box)
    return outside(q_rad, robot.tcp, box, joints)
