"""Joint actions of every kind: one motion, told in four ways, is one row of waypoints."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigid import FRANKA_HAND

from rt_infer.actions.convert import ActionCounts, BadActions, Converter
from rt_infer.actions.inverse import Inverse
from rt_infer.actions.names import ENTRIES, Kind, layout_of
from rt_infer.robots.boxes import joint_box, workspace_box
from rt_infer.robots.fr3_kinematics import HOME_RAD

Array = npt.NDArray[np.float64]
FPS = 30.0
MOST = 512


def uniform(seed: int, steps: int) -> Array:
    return np.random.default_rng(seed).uniform(-3.0, 3.0, (steps, 7))


paths = st.builds(uniform, st.integers(0, 2**32), st.integers(2, 60))
joints = st.builds(uniform, st.integers(0, 2**32), st.just(1)).map(lambda q: q[0])


def converter(
    names: list[str] | tuple[str, ...], tools: tuple[str, ...] = (), most: int = MOST
) -> Converter:
    inverse = Inverse(FRANKA_HAND, FPS, workspace_box({}), joint_box({}))
    return Converter(layout_of(names, tools), inverse, FPS, ActionCounts(), most)


def told(kind: Kind, path: Array, measured: Array) -> Array:
    """A path (T, 7) that begins where the arm was told to be, as actions of a kind."""
    changes = np.diff(path, axis=0)
    return {
        Kind.POSITION: path,
        Kind.OFFSET: path - measured,
        Kind.DELTA: changes,
        Kind.VELOCITY: changes * FPS,
    }[kind]


@pytest.mark.parametrize("kind", [Kind.POSITION, Kind.OFFSET, Kind.DELTA, Kind.VELOCITY])
@given(path=paths, measured=joints)
def test_one_path_is_the_same_waypoints_in_every_kind(
    kind: Kind, path: Array, measured: Array
) -> None:
    actions = told(kind, path, measured).astype(np.float32)
    found = converter(ENTRIES[kind]).waypoints(actions, measured, path[0])
    assert found.dtype == np.float32
    # float32 of values up to 180 rad/s, summed up 59 times
    np.testing.assert_allclose(found, path, atol=2e-5)


@given(path=paths, order=st.permutations(range(7)))
def test_the_order_of_the_names_is_the_policys_own(path: Array, order: list[int]) -> None:
    names = [ENTRIES[Kind.POSITION][j] for j in order]
    actions = path[:, order].astype(np.float32)
    found = converter(names).waypoints(actions, HOME_RAD, HOME_RAD)
    np.testing.assert_array_equal(found, path.astype(np.float32))


def test_changes_are_counted_from_the_command_and_not_from_where_the_arm_lags() -> None:
    command, measured = HOME_RAD, HOME_RAD - 0.02
    still = np.zeros((10, 7), np.float32)
    for kind in (Kind.DELTA, Kind.VELOCITY):
        found = converter(ENTRIES[kind]).waypoints(still, measured, command)
        np.testing.assert_array_equal(found, np.tile(command, (11, 1)).astype(np.float32))
    offsets = converter(ENTRIES[Kind.OFFSET]).waypoints(still, measured, command)
    np.testing.assert_array_equal(offsets, np.tile(measured, (10, 1)).astype(np.float32))


def test_a_change_is_complete_when_its_step_is_over() -> None:
    actions = np.zeros((3, 7), np.float32)
    actions[0, 0], actions[2, 0] = 0.1, 0.2
    found = converter(ENTRIES[Kind.DELTA]).waypoints(actions, np.zeros(7), np.zeros(7))
    np.testing.assert_allclose(found[:, 0], [0.0, 0.1, 0.1, 0.3], atol=1e-7)


def test_a_chunk_of_changes_is_never_longer_than_the_core_can_take() -> None:
    actions = np.full((MOST, 7), 1e-3, np.float32)
    found = converter(ENTRIES[Kind.DELTA]).waypoints(actions, np.zeros(7), np.zeros(7))
    assert found.shape == (MOST, 7)
    assert found[-1, 0] == pytest.approx((MOST - 1) * 1e-3, rel=1e-5)


def test_the_grippers_values_stand_behind_the_joints_and_with_their_own_steps() -> None:
    names = ["ee.gripper_pos", *ENTRIES[Kind.DELTA]]
    actions = np.zeros((3, 8), np.float32)
    actions[:, 0] = 1.0, 0.5, 0.0
    found = converter(names, ("gripper.pos",)).waypoints(actions, np.zeros(7), np.zeros(7))
    np.testing.assert_array_equal(found[:, 7], [1.0, 0.5, 0.0, 0.0])


@pytest.mark.parametrize("kind", [Kind.DELTA, Kind.VELOCITY, Kind.POSE_DELTA])
def test_numbers_that_add_up_to_none_are_refused(kind: Kind) -> None:
    actions = np.full((50, len(ENTRIES[kind])), 3e38, np.float32)
    with pytest.raises(BadActions, match="no number") as caught:
        converter(ENTRIES[kind]).waypoints(actions, HOME_RAD, HOME_RAD)
    assert caught.value.why == "not_finite"
