"""The keys of a run, in a terminal of its own: what they do, and that it gets its terminal back."""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from conftest import MOVING
from processes import RobotProgram, ServerProgram, assert_sound_motion, at_rest, wait_until
from screen import Screen

CTRL_C = b"\x03"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    monkeypatch.setenv("TERM", "xterm")
    made = Screen()
    yield made
    made.close()


@pytest.fixture
def robot(
    server: ServerProgram, start_robot: Callable[..., RobotProgram], screen: Screen
) -> RobotProgram:
    """A robot whose terminal is the screen."""
    return start_robot(server.port, *MOVING, stdin=screen.fd, stdout=screen.fd)


def test_space_pauses_and_goes_on_r_resets_and_q_stops(robot: RobotProgram, screen: Screen) -> None:
    with robot.region() as region:
        robot.until_moving(region)
        wait_until("the keys are told", lambda: screen.shows("space pause, r reset, q stop"))
        assert screen.hears_keys
        screen.press(b" ")
        resting = robot.until(region, "it rests", at_rest)
        wait_until("it is shown", lambda: screen.shows("PAUSED"))
        wait_until("how to go on", lambda: screen.shows("space go on"))
        screen.press(b"\x1b[15~\x1b[A")  # F5 and an arrow are no keys of ours
        later = robot.until(region, "time", lambda now: now.cycle > resting.cycle + 1500)
        np.testing.assert_array_equal(later.q_command, resting.q_command)
        screen.press(b"p")
        moving = robot.until_moving(region, after_chunk=resting.chunk_id)
        screen.press(b"r")
        robot.until(region, "a new epoch", lambda now: now.epoch > moving.epoch)
        robot.until_moving(region, after_chunk=moving.chunk_id)
        screen.press(b"q")
        assert robot.wait() == 0, robot.errors
    assert termios.tcgetattr(screen.fd) == screen.mode_before
    report = robot.report
    assert (report["outcome"], report["ending"]) == ("stopped", "Stopped by the key q.")
    assert (report["steps"]["pauses"], report["steps"]["resets"]) == (1, 1)
    assert_sound_motion(report)


def test_a_key_that_is_held_down_pauses_and_stays_paused(
    robot: RobotProgram, screen: Screen
) -> None:
    with robot.region() as region:
        robot.until_moving(region)
        screen.press(b" " * 20)
        resting = robot.until(region, "it rests", at_rest)
        later = robot.until(region, "time", lambda now: now.cycle > resting.cycle + 1500)
        np.testing.assert_array_equal(later.q_command, resting.q_command)
        screen.press(b" ")
        robot.until_moving(region, after_chunk=resting.chunk_id)


def test_ctrl_c_still_stops_and_the_terminal_is_as_it_was(
    robot: RobotProgram, screen: Screen
) -> None:
    with robot.region() as region:
        robot.until_moving(region)
        assert screen.hears_keys
        screen.press(CTRL_C)
        assert robot.wait() == 0, robot.errors
    assert "SIGINT" in robot.report["ending"]
    assert termios.tcgetattr(screen.fd) == screen.mode_before


def test_a_run_that_fails_gives_the_terminal_back(
    server: ServerProgram, start_robot: Callable[..., RobotProgram], screen: Screen
) -> None:
    robot = start_robot(server.port, *MOVING, stdin=screen.fd)
    with robot.region() as region:
        robot.until_moving(region)
        assert screen.hears_keys
        os.kill(robot.core_pid, signal.SIGKILL)
        assert robot.wait() == 5, robot.errors
    assert termios.tcgetattr(screen.fd) == screen.mode_before


def test_a_terminal_that_hangs_up_ends_the_run_in_order(
    robot: RobotProgram, screen: Screen
) -> None:
    with robot.region() as region:
        robot.until_moving(region)
        screen.hang_up()
        assert robot.wait() == 0, robot.errors
    assert "Traceback" not in robot.errors
    assert "SIGHUP" in robot.report["ending"]
    assert_sound_motion(robot.report)
