"""One answer of a policy, 50 actions and a gripper, into waypoints for the core: every kind.

The arithmetic of joint actions is held against the same line of numpy and nothing around it, which
checks nothing and knows no columns. Poses are held against damped least squares in numpy (Nakamura
and Hanafusa 1986), a pose after the other from the joints of the one before, as often as it takes
to come as close as ours do; it heeds no limit of the joints. Its joint frames are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import action_chunks
import machine
import numpy as np
import numpy.typing as npt
import pytest
from action_chunks import FPS, STEPS, TCP
from contest import play, sampled

from rt_infer import _core
from rt_infer.actions.convert import REACHED_M, REACHED_RAD, ActionCounts, Converter
from rt_infer.actions.inverse import Inverse
from rt_infer.actions.joints import JOINT_KINDS
from rt_infer.actions.names import GRIPPER, Kind, layout_of
from rt_infer.robots.boxes import joint_box, workspace_box
from rt_infer.robots.fr3_kinematics import HOME_RAD, tip_jacobian

ROUNDS = 15
SAMPLES = 30
WIDE_BOX = {"x": [0.0, 0.9], "y": [-0.8, 0.8], "z": [0.05, 1.2]}  # holds all of the motion
DAMPING = 1e-3

Array = npt.NDArray[np.float64]
Waypoints = npt.NDArray[np.floating[Any]]


def ours(kind: Kind, box: dict[str, list[float]]) -> Callable[[], Waypoints]:
    """What the robot's side does with every chunk."""
    inverse = Inverse(TCP, FPS, workspace_box(box), joint_box({}))
    layout = layout_of(action_chunks.names(kind), (GRIPPER,))
    counts = ActionCounts()
    converter = Converter(layout, inverse, FPS, counts, _core.MAX_CHUNK)
    actions = action_chunks.actions(kind)

    def convert() -> Waypoints:
        waypoints = converter.waypoints(actions, HOME_RAD, HOME_RAD)
        assert counts.unreachable == counts.boxed == 0
        return waypoints

    return convert


def line_of_numpy(kind: Kind) -> Callable[[], Waypoints]:
    """Nothing but the arithmetic; of positions, a copy."""
    actions = action_chunks.actions(kind)
    lines: dict[Kind, Callable[[], Waypoints]] = {
        Kind.POSITION: actions[:, :7].copy,
        Kind.OFFSET: lambda: HOME_RAD + actions[:, :7],
        Kind.DELTA: lambda: HOME_RAD + np.cumsum(actions[:, :7], axis=0),
        Kind.VELOCITY: lambda: HOME_RAD + np.cumsum(actions[:, :7] / FPS, axis=0),
    }
    return lines[kind]


def missing(q_rad: Array, pose: Array) -> Array:
    """From the TCP at `q_rad` to the pose: [m] and, if it is short, the rotation vector [rad]."""
    there = _core.forward(q_rad, TCP)
    turn = pose[:3, :3] @ there[:3, :3].T
    twice = [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
    return np.concatenate([pose[:3, 3] - there[:3, 3], np.array(twice) / 2])


def reached(left: Array) -> bool:
    """Whether what is missing is less than what a user would be told of."""
    return bool(np.linalg.norm(left[:3]) < REACHED_M and np.linalg.norm(left[3:]) < REACHED_RAD)


def least_squares_in_numpy() -> Waypoints:
    """The hand's circle, from poses that need not be composed any more."""
    regular = DAMPING**2 * np.eye(6)
    q_rad, waypoints = HOME_RAD, []
    for pose in action_chunks.hand_poses():
        left = missing(q_rad, pose)
        while not reached(100 * left):
            rows = tip_jacobian(q_rad)
            q_rad = q_rad + rows.T @ np.linalg.solve(rows @ rows.T + regular, left)
            left = missing(q_rad, pose)
        waypoints.append(q_rad)
    return np.stack(waypoints)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.name.lower())
def test_a_chunk_of_every_kind(kind: Kind, benchmark: Any, contest: Callable[..., Any]) -> None:
    of_joints = kind in JOINT_KINDS
    rival = line_of_numpy(kind) if of_joints else least_squares_in_numpy
    contenders = {
        "ours": ours(kind, {}),
        "ours, and held in a workspace box": ours(kind, WIDE_BOX),
        "floor: a line of numpy" if of_joints else "numpy: damped least squares": rival,
    }
    told = list(contenders.values())
    np.testing.assert_array_equal(told[0](), told[1]())
    assert_same_motion(kind, told[0](), rival())

    def rounds_of(name: str) -> Callable[[], Sequence[float]]:
        convert = contenders[name]
        calls = 10 if convert is not least_squares_in_numpy else 1
        return lambda: sampled(convert, SAMPLES if calls > 1 else 3, calls, warm_up=2)

    table = contest(
        f"actions: a chunk of {STEPS} + a gripper, kind {kind.value}",
        "µs",
        machine.placement("one thread"),
    )
    play(benchmark, table, {name: rounds_of(name) for name in contenders}, ROUNDS)


def assert_same_motion(kind: Kind, made: Waypoints, rivals: Waypoints) -> None:
    """Joints are the same; an arm of seven may hold its elbow differently, its hand may not."""
    arm = made[-STEPS:, :7]  # without the waypoint that changes start from
    if kind in JOINT_KINDS:
        np.testing.assert_allclose(arm, rivals, atol=1e-6)
        return
    wanted = action_chunks.hand_poses()
    if kind is Kind.POSE_DELTA:  # the last one stays where it is
        arm = made[:STEPS, :7]
    for q_rad, pose in [*zip(arm, wanted, strict=True), *zip(rivals, wanted, strict=True)]:
        assert reached(missing(q_rad.astype(np.float64), pose))
