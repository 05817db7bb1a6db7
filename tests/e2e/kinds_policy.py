"""Planted policies that say one and the same motion in every kind of actions; no models.

Each follows a field of velocities from the state it sees: towards GOAL, slower the nearer it is. A
field has no memory, so that what one chunk begins the next goes on with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import rigid

from rt_infer.policies.base import STATE_KEY, PolicySpec

JOINTS = tuple(f"joint_{i}.pos" for i in range(1, 8))
HOME = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
GOAL = HOME + [0.3, 0.15, -0.2, 0.2, 0.3, -0.2, 0.3]
RATE_S = 2.5  # of what is left, each second
FPS, STEPS = 30.0, 50
SPIN_RAD_S = 0.3  # of the policies that never arrive


def joints(what: str) -> tuple[str, ...]:
    return tuple(f"joint_{i}.{what}" for i in range(1, 8))


def hand(*parts: str) -> tuple[str, ...]:
    return tuple(f"ee.{part}" for part in parts)


def of_positions(path: np.ndarray) -> np.ndarray:
    return path


def of_offsets(path: np.ndarray) -> np.ndarray:
    return path - path[0]


def of_deltas(path: np.ndarray) -> np.ndarray:
    return np.diff(path, axis=0)


def of_velocities(path: np.ndarray) -> np.ndarray:
    return np.diff(path, axis=0) * FPS


def of_poses(path: np.ndarray) -> np.ndarray:
    poses = rigid.tcp(path)
    return np.concatenate([poses[:, :3, 3], rigid.vector_of(poses[:, :3, :3])], axis=1)


def of_quaternions(path: np.ndarray) -> np.ndarray:
    poses = rigid.tcp(path)
    signs = np.where(np.arange(len(path)) % 2, -1.0, 1.0)[:, None]  # they mean the same
    return np.concatenate([poses[:, :3, 3], signs * rigid.quaternion_of(poses[:, :3, :3])], axis=1)


def of_pose_deltas(path: np.ndarray) -> np.ndarray:
    poses = rigid.tcp(path)
    turns = np.swapaxes(poses[:-1, :3, :3], -1, -2) @ poses[1:, :3, :3]
    return np.concatenate([np.diff(poses[:, :3, 3], axis=0), rigid.vector_of(turns)], axis=1)


class Towards:
    """Leads the arm to GOAL; `said` makes the actions of STEPS + 1 points of its path."""

    def __init__(self, actions: tuple[str, ...], said: Callable[[np.ndarray], np.ndarray]) -> None:
        self.spec = PolicySpec(state=JOINTS, images={}, actions=actions, chunk_size=STEPS, fps=FPS)
        self._said = said

    def reset(self, session: int) -> None:
        pass

    def prepare(self, observation: Mapping[str, np.ndarray | str]) -> np.ndarray:
        return np.array(observation[STATE_KEY], dtype=np.float64)

    def infer(self, batch: np.ndarray) -> np.ndarray:
        left = np.exp(-RATE_S / FPS * np.arange(STEPS + 1))[:, None]
        return GOAL + (batch - GOAL) * left

    def finish(self, output: np.ndarray) -> np.ndarray:
        return self._said(output)[:STEPS].astype(np.float32)


class Onwards(Towards):
    """Turns joint 1 at SPIN_RAD_S, whatever it sees."""

    def infer(self, batch: np.ndarray) -> np.ndarray:
        path = np.tile(batch, (STEPS + 1, 1))
        path[:, 0] += SPIN_RAD_S / FPS * np.arange(STEPS + 1)
        return path


class Downwards(Towards):
    """Lowers the hand by 2 mm a step, for ever."""

    def infer(self, batch: np.ndarray) -> np.ndarray:
        return np.tile([0, 0, -2e-3, 0, 0, 0], (STEPS, 1))


DELTA_PARTS = ("delta_x", "delta_y", "delta_z", "delta_wx", "delta_wy", "delta_wz")


def make_pos(device: str) -> Towards:
    return Towards(joints("pos"), of_positions)


def make_rel(device: str) -> Towards:
    return Towards(joints("rel"), of_offsets)


def make_delta(device: str) -> Towards:
    return Towards(joints("delta"), of_deltas)


def make_vel(device: str) -> Towards:
    return Towards(joints("vel"), of_velocities)


def make_pose(device: str) -> Towards:
    return Towards(hand("x", "y", "z", "wx", "wy", "wz"), of_poses)


def make_quaternion(device: str) -> Towards:
    return Towards(hand("x", "y", "z", "qx", "qy", "qz", "qw"), of_quaternions)


def make_pose_delta(device: str) -> Towards:
    return Towards(hand(*DELTA_PARTS), of_pose_deltas)


def make_spin(device: str) -> Onwards:
    return Onwards(joints("vel"), of_velocities)


def make_down(device: str) -> Downwards:
    return Downwards(hand(*DELTA_PARTS), lambda deltas: deltas)


def make_half(device: str) -> Towards:
    """Of two kinds at once: half of the joints would be told where to be, half how fast to go."""
    return Towards(joints("pos")[:4] + joints("vel")[4:], of_positions)
