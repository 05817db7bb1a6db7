"""The simulated FR3's verdict on a raw stream of commands: no stepper, no limiter between."""

from __future__ import annotations

import numpy as np
import pytest

from rt_infer import _core

READY = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])
STILL = np.tile(READY, (50, 1))
LOST = "communication_constraints_violation"


def test_an_arm_told_to_stay_takes_every_cycle() -> None:
    assert _core.judge(READY, STILL) == (50, None)


def test_lost_cycles_count_like_answered_ones() -> None:
    assert _core.judge(READY, STILL, [(10, 19), (30, 5)]) == (74, None)


def test_a_step_fails_in_its_own_cycle() -> None:
    commands = STILL.copy()
    commands[20:, 3] += 0.2
    reflex = "joint_motion_generator_velocity_discontinuity"
    assert _core.judge(READY, commands) == (20, reflex)
    assert _core.judge(READY, commands, [(10, 3)]) == (23, reflex)


def test_the_twentieth_lost_cycle_in_a_row_is_the_failing_one() -> None:
    assert _core.judge(READY, STILL, [(10, 20)]) == (29, LOST)
    assert _core.judge(READY, STILL, [(10, 12), (10, 8)]) == (29, LOST)


def test_an_arm_that_got_no_command_yet_waits() -> None:
    assert _core.judge(READY, STILL, [(0, 300)]) == (350, None)


def test_nothing_commanded_is_nothing_failed() -> None:
    assert _core.judge(READY, np.empty((0, 7))) == (0, None)


@pytest.mark.parametrize(
    ("commands", "lost", "complaint"),
    [
        (STILL[:, :6], [], "commands are"),
        (STILL[0], [], "commands are"),
        (STILL, [(50, 1)], "before command 50 of 50"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(
    commands: np.ndarray, lost: list[tuple[int, int]], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        _core.judge(READY, commands, lost)


def test_an_arm_that_would_start_out_of_range_is_refused() -> None:
    with pytest.raises(RuntimeError, match="joint 4"):
        _core.judge(READY * 0.0, STILL)
