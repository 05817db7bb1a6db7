"""The FR3's kinematics against the published home pose and against themselves."""

from __future__ import annotations

import numpy as np
import pytest

from rt_infer import _core
from rt_infer.robots.fr3_kinematics import (
    FLANGE_OFFSET_M,
    HAND_TCP_M,
    HOME_RAD,
    LOWER_RAD,
    UPPER_RAD,
    flange_pose,
    joint_frames,
    reach_down,
    tip_jacobian,
    tip_position_m,
)


def random_poses(count: int) -> np.ndarray:
    return np.random.default_rng(7).uniform(LOWER_RAD, UPPER_RAD, (count, 7))


def test_the_home_pose_puts_the_flange_where_franka_says() -> None:
    pose = flange_pose(HOME_RAD)
    # Where Franka's own examples start: O_T_EE without a hand is (0.3069, 0, 0.5903), tool down.
    assert pose[:3, 3] == pytest.approx([0.3069, 0.0, 0.5903], abs=1e-4)
    assert pose[:3, 2] == pytest.approx([0.0, 0.0, -1.0], abs=1e-12)


def test_the_flange_is_where_the_core_has_it() -> None:
    assert FLANGE_OFFSET_M == _core.FLANGE_M
    np.testing.assert_allclose(flange_pose(HOME_RAD), _core.forward(HOME_RAD, np.zeros(6)))


def test_the_fingertip_is_one_hand_length_below_the_flange_at_home() -> None:
    flange = flange_pose(HOME_RAD)[:3, 3]
    assert tip_position_m(HOME_RAD) == pytest.approx(flange - [0, 0, HAND_TCP_M], abs=1e-12)


def test_a_stretched_arm_is_as_long_as_its_links() -> None:
    upright = np.zeros(7)
    # At zero everything is stacked: 0.333 + 0.316 + 0.384 up, the flange hangs 0.107 down at 0.088.
    assert flange_pose(upright)[:3, 3] == pytest.approx([0.088, 0.0, 0.926], abs=1e-12)


def test_turning_the_base_joint_turns_the_fingertip_about_the_vertical() -> None:
    q = np.array(HOME_RAD)
    x, y, z = tip_position_m(q)
    q[0] = np.pi / 2
    assert tip_position_m(q) == pytest.approx([-y, x, z], abs=1e-12)


def test_joint_frames_are_rotations() -> None:
    rotations = joint_frames(random_poses(20))[..., :3, :3]
    products = rotations @ np.swapaxes(rotations, -1, -2)
    assert products == pytest.approx(np.broadcast_to(np.eye(3), products.shape), abs=1e-12)
    assert np.linalg.det(rotations) == pytest.approx(np.ones(rotations.shape[:-2]))


def test_a_batch_gives_what_its_rows_give_one_by_one() -> None:
    poses = random_poses(6).reshape(2, 3, 7)
    tips, jacobians = tip_position_m(poses), tip_jacobian(poses)
    for index in np.ndindex(2, 3):
        assert tips[index] == pytest.approx(tip_position_m(poses[index]), abs=1e-14)
        assert jacobians[index] == pytest.approx(tip_jacobian(poses[index]), abs=1e-14)


def test_the_jacobian_agrees_with_finite_differences() -> None:
    step = 1e-6
    for q in random_poses(20):
        jacobian = tip_jacobian(q)
        for joint in range(7):
            nudge = np.zeros(7)
            nudge[joint] = step
            after, before = flange_pose(q + nudge), flange_pose(q - nudge)
            moved = (tip_position_m(q + nudge) - tip_position_m(q - nudge)) / (2 * step)
            spin = (after - before)[:3, :3] / (2 * step) @ flange_pose(q)[:3, :3].T
            turned = [spin[2, 1], spin[0, 2], spin[1, 0]]
            assert jacobian[:, joint] == pytest.approx([*moved, *turned], abs=1e-8)


def test_reaching_down_meets_the_target_with_the_hand_vertical_and_inside_the_limits() -> None:
    rng = np.random.default_rng(3)
    targets = rng.uniform([0.33, -0.27, 0.08], [0.62, 0.27, 0.37], (200, 3))
    q = reach_down(targets)
    assert tip_position_m(q) == pytest.approx(targets, abs=1e-6)
    assert flange_pose(q)[:, :3, 2] == pytest.approx(np.tile([0.0, 0.0, -1.0], (200, 1)), abs=1e-6)
    assert np.all(q > LOWER_RAD + 0.05)
    assert np.all(q < UPPER_RAD - 0.05)


def test_reaching_down_is_smooth_in_the_target() -> None:
    line = np.linspace([0.36, -0.24, 0.12], [0.59, 0.24, 0.34], 200)
    steps = np.diff(reach_down(line), axis=0)
    assert np.abs(np.diff(steps, axis=0)).max() < 0.05 * np.abs(steps).max()


def test_a_target_out_of_reach_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="out of the FR3's reach"):
        reach_down([1.5, 0.0, 0.2])


def test_home_lies_inside_the_limits_and_cannot_be_changed_by_accident() -> None:
    assert np.all(LOWER_RAD < HOME_RAD)
    assert np.all(HOME_RAD < UPPER_RAD)
    with pytest.raises(ValueError, match="read-only"):
        HOME_RAD[0] = 1.0
