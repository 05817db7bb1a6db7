"""Where a run prints to is nobody's reason to stop an arm: not a stalled terminal, not `| head`."""

from __future__ import annotations

import contextlib
import os
import pty
import threading
from collections.abc import Callable, Iterator

import pytest
from conftest import MOVING
from processes import RobotProgram, ServerProgram, assert_sound_motion, wait_until

from rt_infer.robot.region import CoreState, Phase


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: the one to read what is shown, the one that programs print to."""
    monkeypatch.setenv("TERM", "xterm")
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def moved_for(state: CoreState, first: CoreState, seconds: float) -> bool:
    return state.phase == Phase.FINISHED or state.time_ns - first.time_ns > seconds * 1e9


def test_a_terminal_that_takes_nothing_holds_up_no_heartbeat(
    server: ServerProgram, start_robot: Callable[..., RobotProgram], terminal: tuple[int, int]
) -> None:
    ours, theirs = terminal
    robot = start_robot(server.port, *MOVING, "--duration_s=6", stdout=theirs)
    with robot.region() as region:
        first = robot.until_moving(region)
        # Nobody reads: the panel has filled what a terminal keeps long before these seconds end.
        last = robot.until(region, "five seconds", lambda now: moved_for(now, first, 5.0))
        assert last.epoch == first.epoch
        wait_until("the report, which does not wait for the terminal", lambda: robot.has_reported)
        assert robot.process.poll() is None  # what is left to say does
    reading = threading.Thread(target=_read_on, args=(ours,), daemon=True)
    reading.start()
    assert robot.wait() == 0, robot.errors
    assert robot.report["outcome"] == "finished"
    assert robot.report["steps"]["holds"] == 0
    assert robot.report["chunks"]["refused"] == 0
    assert_sound_motion(robot.report)


def _read_on(terminal: int) -> None:
    with contextlib.suppress(OSError):  # EIO: the last program at the other end is gone
        while os.read(terminal, 65536):
            pass


def test_a_reader_that_leaves_ends_the_output_and_not_the_run(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    read_end, write_end = os.pipe()
    try:
        robot = start_robot(server.port, *MOVING, "--duration_s=3", stdout=write_end)
    finally:
        os.close(write_end)
    with os.fdopen(read_end) as output:
        assert output.readline()
    assert robot.wait() == 0, robot.errors
    assert robot.errors.count("Traceback") == robot.errors.count("Exception ignored") == 0
    assert robot.report["outcome"] == "finished"
    assert robot.report["steps"]["executed"] > 30
