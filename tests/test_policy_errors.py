"""A policy that fails is counted, told once a row, and asked again with pauses."""

from __future__ import annotations

from rt_infer.robot.pauses import LONGEST_PAUSE_S
from rt_infer.robot.policy_errors import PolicyErrors
from rt_infer.wire.refusals import ErrorBody, ErrorCode, RemoteError


def error(code: int = ErrorCode.POLICY_FAILED, sentence: str = "It failed.") -> RemoteError:
    return RemoteError(ErrorBody(code, True, False, sentence))


def test_every_error_is_counted_and_a_row_of_equal_ones_is_told_once() -> None:
    said: list[str] = []
    errors = PolicyErrors(said.append)
    for _ in range(20):
        errors.failed(error())
    errors.failed(error(ErrorCode.BAD_ANSWER, "It answers with NaN."))
    assert errors.counts == {"policy_failed": 20, "bad_answer": 1}
    assert [each.split(";")[0] for each in said] == ["It failed", "It answers with NaN"]
    assert errors.summary() == "The policy failed 21 times, the last time so: It answers with NaN."


def test_a_policy_that_answers_again_is_told_and_its_next_failure_too() -> None:
    said: list[str] = []
    errors = PolicyErrors(said.append)
    errors.answered()
    assert said == []
    errors.failed(error())
    errors.answered()
    errors.answered()
    errors.failed(error())
    assert len(said) == 3
    assert said[1] == "The policy answers again."


def test_a_policy_that_fails_at_every_question_is_asked_less_and_less_often() -> None:
    errors = PolicyErrors(lambda sentence: None)
    waits_s = [errors.failed(error()) for _ in range(10)]
    assert waits_s[0] < 0.5
    assert all(LONGEST_PAUSE_S / 2 <= wait_s <= 1.5 * LONGEST_PAUSE_S for wait_s in waits_s[6:])
    errors.answered()
    assert errors.failed(error()) < 0.5


def test_an_error_of_a_newer_server_keeps_its_number_and_none_is_no_sentence() -> None:
    errors = PolicyErrors(lambda sentence: None)
    assert errors.summary() is None
    errors.count(error(900, "New."))
    assert errors.counts == {"code_900": 1}
    assert errors.summary() == "The policy failed once: New."
