"""The keys that a run listens to in its terminal.

Keys come one by one and unechoed (cbreak) only while this process is in the foreground of the
terminal and between `poll`s nothing waits: the ticks of the run call it. A process in the
background leaves the terminal alone; it would be stopped for touching it. The terminal is given
back as it was found: at the end however it comes, and before Ctrl-Z or Ctrl-\\ take effect; after
`fg` the next poll takes it again.

Who holds a key down pauses: the repeated key comes too soon after the last one to end the pause.

Main thread only, as signal handlers are.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

from rt_infer.robot.wishes import Wishes

HELD_DOWN_S = 0.7  # longer than keyboards wait before they repeat a key that is held down
_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6  # of what tcgetattr answers
_LEAVE_FIRST = (signal.SIGTSTP, signal.SIGQUIT)  # Ctrl-Z, Ctrl-\


class Keys:
    """The keys of one terminal, turned into wishes."""

    def __init__(self, fd: int, wishes: Wishes) -> None:
        self.heard = True  # False once the terminal is gone
        self._fd = fd
        self._wishes = wishes
        self._found: list[Any] | None = None  # how the terminal was before we first touched it
        self._taken = False
        self._pause_key_s = -HELD_DOWN_S  # when a key for the pause last came

    def poll(self) -> None:
        """Take the keys that have come; never waits."""
        try:
            if self.heard and self._in_foreground():
                self._take_terminal()
                while select.select([self._fd], [], [], 0)[0]:
                    if not self._heed(os.read(self._fd, 64)):
                        break
        except (OSError, termios.error):  # the terminal is gone; SIGHUP says what that means
            self.heard = False

    def leave(self) -> None:
        """Give the terminal back as it was found, if it is ours to give."""
        with contextlib.suppress(OSError, termios.error):
            if self._taken and self._in_foreground():
                termios.tcsetattr(self._fd, termios.TCSANOW, self._found or [])
        self._taken = False

    def _heed(self, typed: bytes) -> bool:
        """What was typed, as wishes; False if the terminal has hung up."""
        if not typed:
            self.heard = False
        elif typed.startswith(b"\x1b"):  # an arrow, F5, …: no letters of a user's
            return True
        for key in typed.decode("latin-1"):
            if key in " pP":
                self._pause_key()
            elif key in "rR":
                self._wishes.ask_reset()
            elif key in "qQ":
                self._wishes.stop("the key q")
        return self.heard

    def _pause_key(self) -> None:
        now_s = monotonic()
        if not self._wishes.paused or now_s - self._pause_key_s > HELD_DOWN_S:
            self._wishes.toggle_pause()
        self._pause_key_s = now_s

    def _in_foreground(self) -> bool:
        try:
            in_foreground = os.tcgetpgrp(self._fd) == os.getpgrp()
        except OSError:  # not the terminal that controls us: then it has no say about us
            return True
        self._taken = self._taken and in_foreground  # elsewhere it is set as somebody else likes it
        return in_foreground

    def _take_terminal(self) -> None:
        if self._taken:
            return
        mode = termios.tcgetattr(self._fd)
        if self._found is None:
            self._found = termios.tcgetattr(self._fd)
        mode[_LOCAL_FLAGS] &= ~(termios.ECHO | termios.ICANON)
        mode[_CONTROL_CHARACTERS][termios.VMIN] = 1
        mode[_CONTROL_CHARACTERS][termios.VTIME] = 0
        # NOW: the other ways wait until the terminal has taken what was printed to it.
        termios.tcsetattr(self._fd, termios.TCSANOW, mode)
        self._taken = True


@contextmanager
def heeding_keys(wishes: Wishes, fd: int = 0) -> Iterator[Keys | None]:
    """The keys of the terminal behind `fd`, standard input; None if it is no terminal."""
    if not os.isatty(fd):
        yield None
        return
    keys = Keys(fd, wishes)

    def on_signal(number: int, frame: FrameType | None) -> None:
        keys.leave()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # stops here until `fg`, or ends here
        signal.signal(number, on_signal)

    before = {each: signal.signal(each, on_signal) for each in _LEAVE_FIRST}
    try:
        yield keys
    finally:
        keys.leave()
        for each, handler in before.items():
            signal.signal(each, handler)
