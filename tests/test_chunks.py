"""When to ask for a chunk, and which answers may go to the core."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rt_infer.robot.chunks import LONGEST_WAIT_S, AskRule, Verdict, judge

GOOD = np.zeros((50, 7), dtype=np.float32)


def verdict(actions: np.ndarray = GOOD, **changes: float) -> Verdict:
    facts = {"chunk_epoch": 3, "epoch": 3, "age_s": 0.1, "max_age_s": 2.0} | changes
    return judge(actions, action_size=7, max_actions=512, **facts)  # type: ignore[arg-type]


def test_a_sound_chunk_is_good() -> None:
    assert verdict() is Verdict.GOOD


@pytest.mark.parametrize("shape", [(50, 6), (50, 8), (0, 7), (513, 7), (7,), (1, 50, 7)])
def test_a_chunk_of_another_shape_is_malformed(shape: tuple[int, ...]) -> None:
    assert verdict(np.zeros(shape, dtype=np.float32)) is Verdict.MALFORMED


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_not_finite_spoils_a_chunk(value: float) -> None:
    spoiled = GOOD.copy()
    spoiled[31, 4] = value
    assert verdict(spoiled) is Verdict.NOT_FINITE


@pytest.mark.parametrize("chunk_epoch", [2, 4])
def test_a_chunk_of_another_epoch_is_refused(chunk_epoch: int) -> None:
    assert verdict(chunk_epoch=chunk_epoch) is Verdict.OLD_EPOCH


def test_a_chunk_of_an_old_observation_is_refused() -> None:
    assert verdict(age_s=2.0) is Verdict.GOOD
    assert verdict(age_s=2.001) is Verdict.TOO_OLD


def test_it_asks_when_the_queue_falls_to_the_threshold() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    assert not rule.due(steps_queued=25.1, judged=0)
    assert rule.due(steps_queued=25.0, judged=0)


def test_threshold_zero_asks_when_nothing_is_left_and_one_asks_always() -> None:
    lazy = AskRule(actions_per_chunk=50, threshold=0.0, fps=30.0)
    assert not lazy.due(steps_queued=0.5, judged=0)
    assert lazy.due(steps_queued=0.0, judged=0)
    assert AskRule(actions_per_chunk=50, threshold=1.0, fps=30.0).due(steps_queued=50.0, judged=0)


def test_one_question_is_out_at_a_time() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    rule.asked()
    assert rule.awaiting
    assert not rule.due(steps_queued=0.0, judged=0)


def test_after_a_push_it_waits_for_the_cores_judgement() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    rule.asked()
    rule.pushed(judged=4)
    assert not rule.due(steps_queued=0.0, judged=4)
    assert rule.due(steps_queued=0.0, judged=5)


def test_a_new_epoch_does_not_wait_for_a_judgement_that_will_not_come() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    rule.asked()
    rule.pushed(judged=4)
    rule.new_epoch()
    assert rule.due(steps_queued=0.0, judged=4)


def test_a_new_epoch_keeps_an_unanswered_question_out() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    rule.asked()
    rule.new_epoch()
    assert not rule.due(steps_queued=0.0, judged=0)


def test_a_refused_answer_is_counted_and_asked_again() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    for _ in range(2):
        rule.asked()
        rule.refuse(Verdict.TOO_OLD)
    assert rule.refused == {Verdict.TOO_OLD: 2}
    assert rule.due(steps_queued=0.0, judged=0)


@given(st.floats(-10, 600), st.floats(0, 1), st.floats(1, 200), st.integers(1, 512))
def test_while_it_waits_nothing_becomes_due(
    queued: float, threshold: float, fps: float, size: int
) -> None:
    rule = AskRule(actions_per_chunk=size, threshold=threshold, fps=fps)
    wait_s = rule.wait_s(queued)
    assert 0 < wait_s <= LONGEST_WAIT_S
    just_before = queued - fps * (wait_s - 0.0021)
    assert wait_s <= 0.0021 or not rule.due(steps_queued=just_before, judged=0)


def test_slack_is_how_long_the_queue_lasts() -> None:
    rule = AskRule(actions_per_chunk=50, threshold=0.5, fps=30.0)
    assert rule.slack_s(15.0) == pytest.approx(0.5)
    assert rule.slack_s(-3.0) == 0.0
