"""The keys of a terminal: who may hear them, which are wishes, and that it is given back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.processes import TAKE_TERMINAL, wait_until
from e2e.screen import Screen

from rt_infer.robot.keys import Keys, heeding_keys
from rt_infer.robot.wishes import Wishes

CTRL_Z, CTRL_BACKSLASH = b"\x1a", b"\x1c"

# Hears keys until it is to stop.
HEARING = """
import time
from rt_infer.robot.keys import heeding_keys
from rt_infer.robot.wishes import Wishes
wishes = Wishes()
with heeding_keys(wishes) as keys:
    while wishes.stopped_by is None:
        keys.poll()
        time.sleep(0.01)
"""

# A shell with one job: to the background when it stops, a while later to the foreground.
SHELL = """
import os, signal, sys, termios, time

def tell(what):
    heard = "keys" if not termios.tcgetattr(0)[3] & termios.ICANON else "lines"
    print(what, heard, flush=True)

signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
_, status = os.waitpid(job, os.WUNTRACED)
if os.WIFSTOPPED(status):
    os.tcsetpgrp(0, os.getpgrp())
    tell("stopped")
    os.kill(job, signal.SIGCONT)
    time.sleep(0.3)
    assert os.waitpid(job, os.WNOHANG | os.WUNTRACED) == (0, 0)
    tell("background")
    os.tcsetpgrp(0, job)
    os.kill(job, signal.SIGCONT)
    _, status = os.waitpid(job, os.WUNTRACED)
os.tcsetpgrp(0, os.getpgrp())
tell("exited" if os.WIFEXITED(status) else f"signal {os.WTERMSIG(status)}")
"""


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.close()


@pytest.fixture
def shell(screen: Screen, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A shell on the screen whose job hears keys; what it tells goes elsewhere."""
    with subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, "-c", SHELL, HEARING],
        stdin=screen.fd,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
        cwd=tmp_path,  # where a core file may go
    ) as process:
        wait_until("the job hears keys", lambda: screen.hears_keys)
        yield process
        process.kill()


def test_ctrl_z_gives_the_terminal_back_and_only_the_foreground_takes_it_again(
    screen: Screen, shell: subprocess.Popen[str]
) -> None:
    assert shell.stdout is not None
    screen.press(CTRL_Z)
    assert shell.stdout.readline() == "stopped lines\n"
    assert shell.stdout.readline() == "background lines\n"
    wait_until("the job hears keys again", lambda: screen.hears_keys)
    screen.press(b"q")
    assert shell.stdout.readline() == "exited lines\n"
    assert termios.tcgetattr(screen.fd) == screen.mode_before


def test_ctrl_backslash_gives_the_terminal_back_first(
    screen: Screen, shell: subprocess.Popen[str]
) -> None:
    assert shell.stdout is not None
    screen.press(CTRL_BACKSLASH)
    assert shell.stdout.readline() == f"signal {int(signal.SIGQUIT)} lines\n"
    assert termios.tcgetattr(screen.fd) == screen.mode_before


def typed(screen: Screen, text: bytes, keys: Keys) -> None:
    """Press keys, and poll once they have all arrived."""
    screen.press(text + b"~")
    wait_until("they arrive", lambda: screen.waiting_keys > len(text))
    keys.poll()


def test_keys_are_wishes(screen: Screen) -> None:
    wishes = Wishes()
    with heeding_keys(wishes, screen.fd) as keys:
        assert keys is not None
        keys.poll()
        assert screen.hears_keys
        typed(screen, b"x", keys)
        assert not wishes.stand_still
        typed(screen, b"r", keys)
        assert wishes.resetting and not wishes.paused
        typed(screen, b" ", keys)
        assert wishes.paused
        typed(screen, b"q", keys)
        assert wishes.stopped_by == "the key q"
    assert termios.tcgetattr(screen.fd) == screen.mode_before


def test_a_key_that_repeats_pauses_and_does_not_go_on(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    wishes = Wishes()
    keys = Keys(screen.fd, wishes)
    keys.poll()
    now_s = [0.0]
    monkeypatch.setattr("rt_infer.robot.keys.monotonic", lambda: now_s[0])

    def paused_after_a_key_at(time_s: float) -> bool:
        now_s[0] = time_s
        typed(screen, b" ", keys)
        return wishes.paused

    held_down = [paused_after_a_key_at(time_s) for time_s in (100.0, 100.5, 100.53, 100.56)]
    assert held_down == [True] * 4
    assert not paused_after_a_key_at(102.0)
    assert paused_after_a_key_at(102.1)  # to pause is never too soon
    assert wishes.pauses == 2


@pytest.mark.parametrize("sent", [b"\x1b[15~", b"\x1bOP", b"\x1b[A"])
def test_what_function_keys_send_is_no_wish(sent: bytes, screen: Screen) -> None:
    wishes = Wishes()
    with heeding_keys(wishes, screen.fd) as keys:
        assert keys is not None
        keys.poll()
        typed(screen, sent, keys)
    assert not wishes.stand_still and wishes.stopped_by is None


def test_an_exception_gives_the_terminal_back(screen: Screen) -> None:
    with pytest.raises(ZeroDivisionError):
        with heeding_keys(Wishes(), screen.fd) as keys:
            assert keys is not None
            keys.poll()
            assert screen.hears_keys
            raise ZeroDivisionError
    assert termios.tcgetattr(screen.fd) == screen.mode_before


def test_what_is_no_terminal_has_no_keys() -> None:
    read_end, write_end = os.pipe()
    with heeding_keys(Wishes(), read_end) as keys:
        assert keys is None
    os.close(read_end)
    os.close(write_end)
