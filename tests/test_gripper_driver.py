"""A gripper's thread: newest command wins, readings are dated, failures become one sentence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from rt_infer.grippers.base import GripperError, Reading
from rt_infer.grippers.commands import CommandRule
from rt_infer.grippers.driver import GripperDriver
from rt_infer.grippers.sim import SimGripper, SimGripperConfig
from rt_infer.grippers.trace import STALE_NS, PositionTrace

MS = 1_000_000


def never() -> bool:
    return False


class SlowLine:
    """A device whose every command waits until the test lets it through."""

    period_s = 0.001

    def __init__(self) -> None:
        self.through = threading.Semaphore(0)
        self.taken: list[float] = []
        self.at_work = threading.Event()
        self.reading = Reading(0.5, holding=False)
        self.broken: Exception | None = None
        self.closed = 0

    def open(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        say("It is opened.")

    def command(self, position: float) -> None:
        self.at_work.set()
        self.through.acquire()
        self.taken.append(position)

    def read(self) -> Reading:
        if self.broken is not None:
            raise self.broken
        return self.reading

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def line() -> SlowLine:
    return SlowLine()


@pytest.fixture
def driver(line: SlowLine) -> Iterator[GripperDriver]:
    made = GripperDriver(line, CommandRule(0.02, None), said.append)
    said.clear()
    made.start()
    yield made
    for _ in range(10):
        line.through.release()
    made.stop()


said: list[str] = []


def until(holds: Callable[[], object]) -> None:
    while not holds():
        time.sleep(0.001)


def test_while_a_command_is_under_way_the_newest_one_waits_and_older_ones_are_gone(
    line: SlowLine, driver: GripperDriver
) -> None:
    driver.wait_until_open(never)
    driver.command(0.1)
    line.at_work.wait()
    for value in (0.2, 0.3, 0.4):
        driver.command(value)
    line.through.release()
    line.through.release()
    until(lambda: driver.commands == 2)
    assert line.taken == [0.1, 0.4]
    assert said == ["It is opened."]


def test_what_failed_is_told_once_and_the_device_is_let_go(
    line: SlowLine, driver: GripperDriver
) -> None:
    driver.wait_until_open(never)
    assert driver.trouble is None
    line.broken = GripperError("The gripper is gone.")
    until(lambda: line.closed)
    assert driver.trouble == "The gripper is gone."
    driver.command(0.9)
    assert line.taken == []


def test_a_gripper_that_cannot_be_opened_says_why(line: SlowLine) -> None:
    line.broken = GripperError("There is no port.")
    made = GripperDriver(line, CommandRule(0.02, None), said.append)
    made.start()
    with pytest.raises(GripperError, match="There is no port"):
        made.wait_until_open(never)
    made.stop()


def test_who_gives_up_waiting_waits_no_longer() -> None:
    class Patient(SlowLine):
        def open(self, stop: threading.Event, say: Callable[[str], None]) -> None:
            stop.wait()

    line = Patient()
    made = GripperDriver(line, CommandRule(0.02, None), said.append)
    made.start()
    made.wait_until_open(lambda: True)
    assert made.trouble is None
    made.stop()
    assert line.closed == 1
    assert line.taken == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_in_a_driver_is_trouble_too(line: SlowLine, driver: GripperDriver) -> None:
    driver.wait_until_open(never)
    line.broken = ZeroDivisionError("what")
    until(lambda: line.closed)
    assert driver.trouble == "The gripper's driver failed: ZeroDivisionError: what."


def test_a_grasp_is_counted_when_it_begins(line: SlowLine, driver: GripperDriver) -> None:
    driver.wait_until_open(never)
    assert driver.grasps == 0
    line.reading = Reading(0.4, holding=True)
    until(lambda: driver.grasps)
    line.reading = Reading(0.3, holding=True)
    until(lambda: (now := driver.at(time.monotonic_ns())) is not None and now < 0.35)
    assert driver.grasps == 1
    line.reading = Reading(1.0, holding=False)
    until(lambda: driver.at(time.monotonic_ns()) == 1.0)
    line.reading = Reading(0.4, holding=True)
    until(lambda: driver.grasps == 2)


def test_a_driver_that_was_never_started_can_be_stopped(line: SlowLine) -> None:
    GripperDriver(line, CommandRule(0.02, None), said.append).stop()


def test_the_simulated_hand_takes_eight_tenths_of_a_second_for_its_stroke() -> None:
    now_ns = 0
    hand = SimGripper(SimGripperConfig(), lambda: now_ns)
    assert hand.read() == Reading(1.0, holding=False)
    hand.command(0.0)
    now_ns = 400 * MS
    assert hand.read().position == pytest.approx(0.5)
    hand.command(0.75)  # on the way
    now_ns = 500 * MS
    assert hand.read().position == pytest.approx(0.625)
    now_ns = 10_000 * MS
    assert hand.read().position == 0.75


def test_the_driver_moves_the_simulated_hand_and_dates_where_it_was() -> None:
    config = SimGripperConfig(stroke_m=0.01, speed_m_s=1.0, start=0.0)
    made = GripperDriver(config.build(), CommandRule(0.02, None), said.append)
    made.start()
    made.wait_until_open(never)
    began_ns = time.monotonic_ns()
    made.command(1.0)
    until(lambda: made.at(time.monotonic_ns()) == 1.0)
    assert (before := made.at(began_ns)) is not None
    assert before < 1.0
    assert made.commands == 1
    made.stop()


def test_positions_between_two_samples_are_interpolated() -> None:
    trace = PositionTrace()
    assert trace.at(0) is None
    trace.add(1000 * MS, 0.0)
    trace.add(1020 * MS, 0.5)
    assert trace.at(999 * MS) is None
    assert trace.at(1000 * MS) == 0.0
    assert trace.at(1005 * MS) == pytest.approx(0.125)
    assert trace.at(1020 * MS) == 0.5


def test_after_the_last_sample_it_counts_until_it_is_stale() -> None:
    trace = PositionTrace()
    trace.add(1000 * MS, 0.3)
    assert trace.at(1000 * MS + STALE_NS) == 0.3
    assert trace.at(1000 * MS + STALE_NS + 1) is None


def test_old_samples_make_room_for_new_ones() -> None:
    trace = PositionTrace()
    for number in range(10_000):
        trace.add(number * MS, number / 10_000)
    assert trace.at(9_999 * MS) == pytest.approx(0.9999)
    assert trace.at(0) is None
