"""What the robot's side makes of a WELCOME before any action moves it."""

from __future__ import annotations

import pytest

from rt_infer.robot.agreement import misfit, other_rate
from rt_infer.wire.messages import Welcome

JOINTS = [f"joint_{i}.pos" for i in range(1, 8)]


def welcome(**changes: object) -> Welcome:
    return Welcome(**({"session": 1, "chunk_size": 50, "actions": JOINTS} | changes))


def test_a_policy_with_the_robots_own_actions_fits() -> None:
    assert misfit(welcome(), tuple(JOINTS)) is None


@pytest.mark.parametrize("actions", [JOINTS[::-1], JOINTS[:6], [*JOINTS, "gripper.pos"]])
def test_actions_for_other_joints_or_in_another_order_do_not(actions: list[str]) -> None:
    sentence = misfit(welcome(actions=actions), JOINTS)
    assert sentence is not None
    assert "in this order" in sentence


def test_a_policy_that_wants_a_history_is_not_given_the_same_moment_several_times() -> None:
    sentence = misfit(welcome(history=2), JOINTS)
    assert sentence is not None
    assert "2 successive observations" in sentence


def test_another_rate_than_the_policys_is_told() -> None:
    assert other_rate(welcome(), 20.0) is None
    assert other_rate(welcome(fps=30.0), 30.0) is None
    assert "0.5 of the speed" in (other_rate(welcome(fps=30.0), 15.0) or "")
