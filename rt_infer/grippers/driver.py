"""A gripper's thread: opens it, sends it the newest command, reads it at its rate.

Protocol. The thread owns the device from `start` to its own end; nobody else calls it. `command`
leaves a position in a slot and wakes the thread: newest wins, nothing queues, and a serial line
that answers slowly holds up nobody. Between commands the device is read every `period_s`; a reading
is dated half way between question and answer.

When the gripper fails, `trouble` says so in a sentence, once and for all: the thread has let go of
the device and ends. What a run makes of that is its own matter (robot/supervise.py ends it).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rt_infer.grippers.base import Gripper, GripperError
from rt_infer.grippers.commands import CommandRule
from rt_infer.grippers.trace import PositionTrace


class GripperDriver:
    """Runs one gripper in a thread of its own."""

    def __init__(self, gripper: Gripper, rule: CommandRule, say: Callable[[str], None]) -> None:
        self.trouble: str | None = None  # set once, by the thread
        self.commands = 0  # that the device has taken
        self.grasps = 0  # times that something stopped the fingers
        self._gripper = gripper
        self._rule = rule  # belongs to the thread that calls `command`
        self._say = say
        self._trace = PositionTrace()
        self._holding = False
        self._lock = threading.Lock()  # guards `_wanted`, held for an assignment
        self._wanted: float | None = None
        self._wake = threading.Event()  # a command or a stop
        self._stop = threading.Event()
        self._settled = threading.Event()  # open, or in trouble
        self._thread = threading.Thread(target=self._main, name="gripper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait_until_open(self, given_up: Callable[[], bool]) -> None:
        """Wait until the gripper takes commands, or `given_up`. GripperError: it never will."""
        while not self._settled.wait(0.05) and not given_up():
            pass
        if self.trouble is not None:
            raise GripperError(self.trouble)

    def command(self, value: float) -> None:
        """What a policy wants of the gripper now, 0 closed … 1 open; call from one thread."""
        position = self._rule.decide(value)
        if position is not None:
            with self._lock:
                self._wanted = position
            self._wake.set()

    def at(self, time_ns: int) -> float | None:
        """Where the fingers were at `time_ns`, CLOCK_MONOTONIC; None if that is not known."""
        return self._trace.at(time_ns)

    def stop(self) -> None:
        """End the thread; what it is doing ends first, for at most a second."""
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=1.0)

    def _main(self) -> None:
        try:
            self._gripper.open(self._stop, self._say)
            self._run()
        except GripperError as error:
            self.trouble = str(error)
        except Exception as error:  # a bug of ours must not look like a gripper that is fine
            self.trouble = f"The gripper's driver failed: {type(error).__name__}: {error}."
            raise
        finally:
            self._settled.set()
            self._gripper.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()  # before the slot is looked at: a command that comes now wakes again
            with self._lock:
                wanted, self._wanted = self._wanted, None
            if wanted is not None:
                self._gripper.command(wanted)
                self.commands += 1
            self._read()
            self._settled.set()
            self._wake.wait(self._gripper.period_s)

    def _read(self) -> None:
        asked_ns = time.monotonic_ns()
        position, holding = self._gripper.read()
        self._trace.add((asked_ns + time.monotonic_ns()) // 2, position)
        self.grasps += holding and not self._holding
        self._holding = holding
