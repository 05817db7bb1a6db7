"""End-effector actions of every kind: the hand goes where they say, or as near as it can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import rigid
from hypothesis import given, settings
from hypothesis import strategies as st

from rt_infer.actions import rotations
from rt_infer.actions.convert import ActionCounts, BadActions, Converter
from rt_infer.actions.inverse import Inverse
from rt_infer.actions.names import ENTRIES, Kind, layout_of
from rt_infer.robots.boxes import joint_box, workspace_box
from rt_infer.robots.fr3_kinematics import HOME_RAD

Array = npt.NDArray[np.float64]
FPS = 30.0
STEPS = 50
CLOSE_M, CLOSE_RAD = 1e-4, 1e-4
POSES = (Kind.POSE_VECTOR, Kind.POSE_QUATERNION, Kind.POSE_DELTA)
SPEED_RAD_S = np.array([2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26])
seeds = st.integers(0, 2**32)
slow = settings(deadline=None, max_examples=40)


class Hand:
    """A converter for one arm, and what it counts."""

    def __init__(
        self,
        kind: Kind,
        *,
        names: list[str] | None = None,
        tcp: tuple[float, ...] = rigid.FRANKA_HAND,
        box: dict[str, list[float]] | None = None,
        joints: dict[str, list[float]] | None = None,
    ) -> None:
        self.counts = ActionCounts()
        inverse = Inverse(tcp, FPS, workspace_box(box or {}), joint_box(joints or {}))
        layout = layout_of(names or ENTRIES[kind])
        self._converter = Converter(layout, inverse, FPS, self.counts, 512)

    def waypoints(self, actions: Array, q_rad: Array) -> Array:
        found = self._converter.waypoints(actions.astype(np.float32), q_rad, q_rad)
        return found.astype(np.float64)


def smooth_path(seed: int) -> Array:
    """A joint path (STEPS, 7) of slow sines about the ready pose, where the arm can do anything."""
    rng = np.random.default_rng(seed)
    size, phase = rng.uniform(-0.3, 0.3, 7), rng.uniform(0, 2 * np.pi, 7)
    u = np.arange(STEPS)[:, None] / FPS
    path: Array = HOME_RAD + size * np.sin(2 * np.pi * 0.3 * u + phase)
    return path


def told(kind: Kind, poses: Array, rng: np.random.Generator) -> Array:
    """Poses (T, 4, 4) as actions of a kind; quaternions of any length and of either sign."""
    places, turns = poses[:, :3, 3], poses[:, :3, :3]
    if kind is Kind.POSE_VECTOR:
        return np.concatenate([places, rigid.vector_of(turns)], axis=1)
    if kind is Kind.POSE_QUATERNION:
        scale = rng.choice([-1.0, 1.0], len(poses)) * rng.uniform(0.5, 2.0, len(poses))
        return np.concatenate([places, rigid.quaternion_of(turns) * scale[:, None]], axis=1)
    steps = np.swapaxes(turns[:-1], -1, -2) @ turns[1:]
    return np.concatenate([np.diff(places, axis=0), rigid.vector_of(steps)], axis=1)


def missed_m(waypoints: Array, poses: Array, tcp: Sequence[float]) -> Array:
    """How far the hand is from where it was to be (T,)."""
    away: Array = rigid.tcp(waypoints, tcp)[:, :3, 3] - poses[:, :3, 3]
    return np.linalg.norm(away, axis=1)


def assert_the_hand_follows(
    waypoints: Array, poses: Array, tcp: Sequence[float] = rigid.FRANKA_HAND
) -> None:
    assert len(waypoints) == len(poses)
    assert missed_m(waypoints, poses, tcp).max() < CLOSE_M
    turned = rigid.angle_between(rigid.tcp(waypoints, tcp)[:, :3, :3], poses[:, :3, :3])
    assert turned.max() < CLOSE_RAD


@pytest.mark.parametrize("kind", POSES)
@given(seed=seeds)
@slow
def test_one_path_of_the_hand_is_followed_in_every_kind(kind: Kind, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tcp = rigid.FRANKA_HAND if seed % 2 else (0.02, -0.05, 0.2, 0.3, -0.4, 1.0)
    path = smooth_path(seed)
    poses = rigid.tcp(path, tcp)
    order = rng.permutation(len(ENTRIES[kind]))
    hand = Hand(kind, names=[ENTRIES[kind][i] for i in order], tcp=tcp)
    waypoints = hand.waypoints(told(kind, poses, rng)[:, order], path[0])
    assert_the_hand_follows(waypoints, poses, tcp)
    assert (hand.counts.unreachable, hand.counts.told) == (0, {})


@given(
    vector=st.tuples(*[st.floats(-7, 7, width=32)] * 3), scale=st.sampled_from([1.0, 1e-5, 1e-9])
)
def test_rotation_vectors_and_quaternions_are_the_rotations_that_they_say(
    vector: tuple[float, ...], scale: float
) -> None:
    vector_rad = scale * np.array(vector)
    by_hand = rigid.turn(vector_rad)
    np.testing.assert_allclose(rotations.of_vectors(vector_rad), by_hand, atol=1e-12)
    unit = rigid.quaternion_of(by_hand)
    for quaternion in (unit, -unit, 3 * unit):
        found = rotations.of_quaternions(quaternion)
        np.testing.assert_allclose(found, rigid.turn_of_quaternion(quaternion), atol=1e-12)
        np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_a_quaternion_of_no_length_refuses_its_chunk() -> None:
    actions = told(
        Kind.POSE_QUATERNION, rigid.tcp(np.tile(HOME_RAD, (3, 1))), np.random.default_rng(1)
    )
    actions[1, 3:] = 0.0
    with pytest.raises(BadActions, match="no rotation") as caught:
        Hand(Kind.POSE_QUATERNION).waypoints(actions, HOME_RAD)
    assert caught.value.why == "no_pose"


def test_a_delta_of_the_hand_moves_along_the_base_and_turns_about_the_tool() -> None:
    actions = np.zeros((2, 6))
    actions[0, 2] = -0.01  # down, seen from the base: the tool's own z points down, too
    actions[1, 5] = 0.1  # about the tool's z
    waypoints = Hand(Kind.POSE_DELTA).waypoints(actions, HOME_RAD)
    start, lower, turned = rigid.tcp(waypoints)
    np.testing.assert_allclose(waypoints[0], HOME_RAD, atol=1e-7)
    np.testing.assert_allclose(lower[:3, 3] - start[:3, 3], [0, 0, -0.01], atol=1e-6)
    np.testing.assert_allclose(turned[:3, 3], lower[:3, 3], atol=1e-6)
    np.testing.assert_allclose(turned[:3, :3], lower[:3, :3] @ rigid.turn([0, 0, 0.1]), atol=1e-6)


def test_out_of_reach_the_nearest_is_taken_counted_and_told_and_no_joint_jumps() -> None:
    poses = rigid.tcp(np.tile(HOME_RAD, (STEPS, 1)))
    poses[:, 0, 3] += np.linspace(0.0, 0.9, STEPS)  # 1.2 m from the base: 0.35 m too far
    hand = Hand(Kind.POSE_VECTOR)
    waypoints = hand.waypoints(
        told(Kind.POSE_VECTOR, poses, np.random.default_rng(1)), np.array(HOME_RAD)
    )
    assert 10 < hand.counts.unreachable < STEPS
    assert list(hand.counts.told) == ["unreachable"]
    assert "cannot reach" in hand.counts.told["unreachable"]
    assert (np.abs(np.diff(waypoints, axis=0)) <= SPEED_RAD_S / FPS + 1e-6).all()
    missed = missed_m(waypoints, poses, rigid.FRANKA_HAND)
    assert missed[5] < CLOSE_M
    assert missed[-1] < 0.6
    assert np.sum(missed > 1e-3) <= hand.counts.unreachable


def test_a_first_pose_that_is_far_away_stays_so_for_the_core_to_refuse() -> None:
    swung = np.array(HOME_RAD)
    swung[0] += 1.6
    poses = rigid.tcp(np.tile(swung, (3, 1)))
    waypoints = Hand(Kind.POSE_VECTOR).waypoints(
        told(Kind.POSE_VECTOR, poses, np.random.default_rng(1)), np.array(HOME_RAD)
    )
    assert np.abs(waypoints[0] - HOME_RAD).max() > 0.5
    assert_the_hand_follows(waypoints, poses)


def test_poses_are_followed_inside_the_joint_box() -> None:
    poses = rigid.tcp(np.tile(HOME_RAD, (STEPS, 1)))
    turns = rigid.turn(np.linspace([0.0, 0.0, 0.0], [0.0, 0.0, 0.8], STEPS))
    poses[:, :3, 3] = turns @ poses[0, :3, 3]
    actions = told(Kind.POSE_VECTOR, poses, np.random.default_rng(1))
    free = Hand(Kind.POSE_VECTOR).waypoints(actions, HOME_RAD)
    j = int(np.argmax(np.abs(free[-1] - HOME_RAD)))
    way_rad = free[-1, j] - HOME_RAD[j]
    assert abs(way_rad) > 0.3
    low_rad, high_rad = sorted((HOME_RAD[j] - 0.2 * np.sign(way_rad), HOME_RAD[j] + way_rad / 2))
    hand = Hand(Kind.POSE_VECTOR, joints={str(j + 1): [low_rad, high_rad]})
    boxed = hand.waypoints(actions, HOME_RAD)
    assert low_rad < boxed[:, j].min() < boxed[:, j].max() < high_rad
    if hand.counts.unreachable == 0:  # the other joints have taken over
        assert_the_hand_follows(boxed, poses)


BOX = {"x": [0.25, 0.5], "y": [-0.1, 0.15], "z": [0.4, 0.75]}


@pytest.mark.parametrize("kind", [Kind.POSITION, Kind.DELTA, Kind.POSE_VECTOR])
@given(seed=seeds)
@slow
def test_flange_and_tcp_of_every_waypoint_are_inside_the_box(kind: Kind, seed: int) -> None:
    path = smooth_path(seed)
    path += HOME_RAD - path[0]
    if kind in POSES:
        actions = told(kind, rigid.tcp(path), np.random.default_rng(seed))
    else:
        actions = path if kind is Kind.POSITION else np.diff(path, axis=0)
    hand = Hand(kind, box=BOX)
    waypoints = hand.waypoints(actions, HOME_RAD)
    assert outside_m(waypoints).max() < 0
    kept = outside_m(path) < -0.0051
    if kind is Kind.POSITION:
        # What was well inside stays as it was, until the first that was not.
        first = int(np.argmin(kept)) if not kept.all() else len(kept)
        np.testing.assert_allclose(waypoints[:first], path[:first], atol=1e-6)
    assert hand.counts.boxed >= np.sum(outside_m(path) > 0)
    assert ("boxed" in hand.counts.told) == (hand.counts.boxed > 0)


def outside_m(path: Array) -> Array:
    """How far the worse of flange and TCP is outside of BOX; negative: inside."""
    low, high = np.array(list(BOX.values())).T
    points = np.stack([rigid.flange(path)[:, :3, 3], rigid.tcp(path)[:, :3, 3]], axis=1)
    worst: Array = np.maximum(low - points, points - high).max(axis=(1, 2))
    return worst


def test_the_property_above_can_fail() -> None:
    assert max(outside_m(smooth_path(seed)).max() for seed in range(10)) > 0.03
    assert outside_m(HOME_RAD[None])[0] < -0.02
