"""What the robot's side makes of a WELCOME before any action moves it."""

from __future__ import annotations

import numpy as np
import pytest

from rt_infer.actions.joints import joint_waypoints
from rt_infer.actions.names import ENTRIES, Kind
from rt_infer.robot.agreement import Unfit, agree, other_rate
from rt_infer.wire.messages import Welcome

JOINTS = [f"joint_{i}.pos" for i in range(1, 8)]
TAKEN = ("joint_1.pos … joint_7.pos", ".rel", ".delta", ".vel", "ee.x", "ee.qw", "ee.delta_wz")


def welcome(**changes: object) -> Welcome:
    return Welcome(**({"session": 1, "chunk_size": 50, "actions": JOINTS} | changes))


def refusal(actions: list[str], tools: tuple[str, ...] = ()) -> str:
    with pytest.raises(Unfit) as caught:
        agree(welcome(actions=actions), tools)
    return str(caught.value)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_actions_fits_in_any_order(kind: Kind) -> None:
    names = list(ENTRIES[kind])
    assert agree(welcome(actions=names)).kind is kind
    turned_around = agree(welcome(actions=names[::-1]))
    assert turned_around.kind is kind
    assert turned_around.columns == tuple(range(len(names)))[::-1]


@pytest.mark.parametrize("name", ["gripper.pos", "ee.gripper_pos"])
def test_a_gripper_may_stand_anywhere_among_the_joints(name: str) -> None:
    layout = agree(welcome(actions=[*JOINTS[:2], name, *JOINTS[2:]]), ("gripper.pos",))
    assert (layout.size, layout.tools) == (8, (2,))
    assert layout.columns == (0, 1, 3, 4, 5, 6, 7)


def test_a_policy_need_not_move_the_gripper_that_there_is() -> None:
    assert agree(welcome(), ("gripper.pos",)).tools == ()


@pytest.mark.parametrize(
    ("actions", "why"),
    [
        (JOINTS[:6], "without joint_7.pos"),
        ([*JOINTS, "joint_8.pos"], "of which joint_8.pos is unknown"),
        ([f"state_{i}" for i in range(7)], "state_0, state_1"),
        ([*JOINTS[:6], "joint_7.vel"], "more than one kind"),
        ([*JOINTS, "ee.x"], "more than one kind"),
        ([*JOINTS, "gripper.pos"], "nothing here that gripper.pos could move"),
        (["ee.x", "ee.y", "ee.z"], "without ee.wx, ee.wy, ee.wz"),
        (["ee.x", "ee.y", "ee.z", "ee.qx", "ee.qy", "ee.qz"], "without ee.qw"),
        (["ee.delta_x", "ee.delta_y", "ee.delta_z", "ee.wx", "ee.wy", "ee.wz"], "more than one"),
    ],
)
def test_actions_that_are_not_one_complete_kind_are_refused_with_both_lists(
    actions: list[str], why: str
) -> None:
    sentence = refusal(actions)
    assert f"The policy's actions are {', '.join(actions)}, " in sentence
    assert why in sentence
    assert all(part in sentence.partition("this robot takes")[2] for part in TAKEN)
    assert "has no gripper" in sentence


def test_a_gripper_alone_moves_no_arm() -> None:
    sentence = refusal(["gripper.pos"], ("gripper.pos",))
    assert "none of which moves the arm" in sentence
    assert "gripper.pos beside any of them" in sentence


def test_the_two_names_of_a_gripper_are_one_and_the_same() -> None:
    sentence = refusal([*JOINTS, "gripper.pos", "ee.gripper_pos"], ("gripper.pos",))
    assert "gripper.pos is there more than once" in sentence


def test_a_policy_of_hundreds_of_actions_is_refused_in_a_sentence_that_can_be_read() -> None:
    assert len(refusal([f"motor_{i}" for i in range(256)])) < 1500


def test_a_policy_that_wants_a_history_is_not_given_the_same_moment_several_times() -> None:
    with pytest.raises(Unfit, match="2 successive observations"):
        agree(welcome(history=2))


def rate_notice(kind: Kind, meant_for: float | None, fps: float) -> str | None:
    return other_rate(welcome(actions=list(ENTRIES[kind]), fps=meant_for), kind, fps)


@pytest.mark.parametrize("kind", Kind)
def test_the_policys_own_rate_is_no_news(kind: Kind) -> None:
    assert rate_notice(kind, None, 20.0) is None
    assert rate_notice(kind, 30.0, 30.0) is None


@pytest.mark.parametrize("kind", sorted(set(Kind) - {Kind.VELOCITY}, key=lambda kind: kind.name))
def test_at_another_rate_the_arm_has_another_speed(kind: Kind) -> None:
    sentence = rate_notice(kind, 30.0, 15.0)
    assert sentence is not None
    assert "moves at 0.5 of the speed" in sentence


def test_velocities_at_another_rate_keep_their_speed_and_lead_elsewhere() -> None:
    sentence = rate_notice(Kind.VELOCITY, 30.0, 15.0)
    assert sentence is not None
    assert "at the speed that was taught, but 2 times as far" in sentence
    # What the sentence says is what the conversion does.
    still, taught = np.zeros(7), np.full((4, 7), 0.3)
    at_15, at_30 = (
        joint_waypoints(Kind.VELOCITY, taught, fps=fps, q_rad=still, q_command_rad=still)
        for fps in (15.0, 30.0)
    )
    np.testing.assert_allclose(at_15, 2 * at_30)
