"""Which signals end a run in order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from rt_infer.robot.supervise import stop_flag

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[dict[signal.Signals, object]]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    yield dict(before)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_only_sets_the_flag(number: signal.Signals) -> None:
    with stop_flag() as flag:
        assert flag.signal_name is None
        os.kill(os.getpid(), number)
        assert flag.signal_name == number.name


def test_afterwards_all_is_as_before(handlers: dict[signal.Signals, object]) -> None:
    with stop_flag():
        pass
    assert {number: signal.getsignal(number) for number in NUMBERS} == handlers


def test_under_nohup_a_closed_terminal_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stop_flag() as flag:
        os.kill(os.getpid(), signal.SIGHUP)
        assert flag.signal_name is None
