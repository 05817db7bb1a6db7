"""Which of a policy's gripper values become commands."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_infer.grippers.commands import CommandRule

VALUES = st.lists(st.floats(-0.5, 1.5), max_size=100)


def commands(rule: CommandRule, values: list[float]) -> list[float]:
    return [made for value in values if (made := rule.decide(value)) is not None]


def test_the_first_value_is_a_command_whatever_it_is() -> None:
    assert CommandRule(0.02, None).decide(0.5) == 0.5


def test_noise_within_the_deadband_commands_nothing() -> None:
    assert commands(CommandRule(0.02, None), [0.5, 0.51, 0.49, 0.519, 0.5]) == [0.5]


def test_a_slow_drift_is_followed_in_steps_of_the_deadband() -> None:
    drift = [0.5 + 0.001 * step for step in range(101)]
    made = commands(CommandRule(0.02, None), drift)
    assert len(made) == 5
    assert made[-1] == pytest.approx(0.6, abs=0.02)


def test_an_end_is_reached_even_within_the_deadband() -> None:
    assert commands(CommandRule(0.02, None), [0.5, 0.985, 0.999]) == [0.5, 0.985, 1.0]
    assert commands(CommandRule(0.02, None), [0.5, 0.015, 0.001]) == [0.5, 0.015, 0.0]


def test_noise_at_an_end_is_one_command() -> None:
    assert commands(CommandRule(0.02, None), [0.0, 0.01, 0.0, 0.003, 0.015, 0.0]) == [0.0]


def test_values_beyond_the_ends_are_the_ends() -> None:
    assert commands(CommandRule(0.02, None), [1.7, 1.2, -0.3, -0.1]) == [1.0, 0.0]


def test_with_a_threshold_there_is_open_and_shut_and_nothing_between() -> None:
    rule = CommandRule(0.02, 0.5)
    assert commands(rule, [0.2, 0.4, 0.52, 0.48, 0.54, 0.6, 0.9, 0.46, 0.3]) == [0.0, 1.0, 0.0]


@given(VALUES, st.sampled_from([None, 0.3, 0.5]))
def test_no_command_is_outside_the_stroke_nor_given_twice_in_a_row(
    values: list[float], threshold: float | None
) -> None:
    made = commands(CommandRule(0.02, threshold), values)
    assert all(0.0 <= command <= 1.0 for command in made)
    assert all(a != b for a, b in itertools.pairwise(made))


@given(VALUES)
def test_the_last_command_is_never_further_from_the_value_than_the_deadband(
    values: list[float],
) -> None:
    rule = CommandRule(0.05, None)
    last = 0.0
    for value in values:
        made = rule.decide(value)
        last = last if made is None else made
        assert abs(last - min(max(value, 0.0), 1.0)) <= 0.05 + 1e-12
