"""What a run is asked for meanwhile: which signals are wishes, and what becomes of wishes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from rt_infer.robot.wishes import Wishes, heeding_signals

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NUMBERS = (*STOPPING, signal.SIGUSR1, signal.SIGUSR2)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[dict[signal.Signals, object]]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    yield {**before, signal.SIGHUP: signal.SIG_DFL}
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_to_stop_only_says_so(number: signal.Signals) -> None:
    wishes = Wishes()
    with heeding_signals(wishes):
        assert wishes.stopped_by is None
        os.kill(os.getpid(), number)
    assert wishes.stopped_by == number.name
    assert not wishes.stand_still


def test_usr1_pauses_and_once_more_goes_on() -> None:
    wishes = Wishes()
    with heeding_signals(wishes):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert wishes.paused and wishes.stand_still
        os.kill(os.getpid(), signal.SIGUSR1)
        assert not wishes.stand_still
    assert wishes.pauses == 1
    assert wishes.stopped_by is None


def test_a_pause_that_was_asked_for_before_there_was_a_run_is_a_wish_of_the_run() -> None:
    wishes = Wishes()
    early = {signal.SIGUSR1, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, early)  # as rt_infer.cli does, before any thread
    try:
        signal.raise_signal(signal.SIGUSR1)
        assert not wishes.paused
        with heeding_signals(wishes):
            assert wishes.paused
        signal.raise_signal(signal.SIGUSR2)  # after its end: nobody's
        assert not wishes.resetting
        assert signal.sigpending() == {signal.SIGUSR2}
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, early)


def test_afterwards_all_is_as_before(handlers: dict[signal.Signals, object]) -> None:
    with heeding_signals(Wishes()):
        pass
    assert {number: signal.getsignal(number) for number in NUMBERS} == handlers


def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    wishes = Wishes()
    with heeding_signals(wishes):
        os.kill(os.getpid(), signal.SIGHUP)
    assert wishes.stopped_by is None


def test_a_reset_is_a_standstill_until_it_is_carried_out() -> None:
    wishes = Wishes()
    with heeding_signals(wishes):
        os.kill(os.getpid(), signal.SIGUSR2)
    assert wishes.stand_still and wishes.resetting and not wishes.paused
    with wishes.carrying_out_a_reset():
        pass
    assert not wishes.stand_still
    assert wishes.resets == 1


def test_a_reset_that_fails_is_still_due() -> None:
    wishes = Wishes()
    wishes.ask_reset()
    with pytest.raises(ConnectionError):
        with wishes.carrying_out_a_reset():
            raise ConnectionError
    assert wishes.resetting
    assert wishes.resets == 0


def test_a_reset_asked_for_while_one_is_carried_out_is_another() -> None:
    wishes = Wishes()
    wishes.ask_reset()
    wishes.ask_reset()  # with the first
    with wishes.carrying_out_a_reset():
        wishes.ask_reset()
    assert wishes.resetting
    with wishes.carrying_out_a_reset():
        pass
    assert not wishes.resetting
    assert wishes.resets == 2


def test_a_reset_in_a_pause_does_not_end_it() -> None:
    wishes = Wishes()
    wishes.toggle_pause()
    wishes.ask_reset()
    with wishes.carrying_out_a_reset():
        pass
    assert wishes.stand_still


def test_each_standstill_that_the_core_was_told_of_is_counted_once() -> None:
    wishes = Wishes()
    for number, still in enumerate([False, True, True, False, True, False]):
        wishes.told(still, float(number))
    assert wishes.holds == 2
    assert not wishes.held


def test_seconds_of_a_pause_count_from_the_first_heartbeat_of_it_to_the_first_after() -> None:
    wishes = Wishes()
    wishes.told(False, 10.0)
    wishes.toggle_pause()
    wishes.told(True, 11.0)
    wishes.told(True, 12.5)
    wishes.toggle_pause()
    wishes.told(False, 13.0)
    wishes.told(False, 20.0)
    assert wishes.paused_s == 2.0


def test_a_reset_is_no_pause() -> None:
    wishes = Wishes()
    wishes.ask_reset()
    wishes.told(True, 1.0)
    wishes.told(True, 2.0)
    assert (wishes.pauses, wishes.paused_s) == (0, 0.0)
