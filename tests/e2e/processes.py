"""Servers and robots as users start them: real processes, real signals, files for their output."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rt_infer.robot.region import CoreRegion, CoreState, Phase

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WATCHDOG_S = 40.0
# Makes standard input the terminal that controls this session, and goes on as the program.
TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def wait_until(what: str, holds: Callable[[], Any]) -> Any:
    """Wait for something to hold and return it; AssertionError when it never does."""
    deadline_s = time.monotonic() + WATCHDOG_S
    while time.monotonic() < deadline_s:
        found = holds()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never came: {what}")


def children(pid: int) -> list[int]:
    """Processes that any thread of `pid` has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for t in tasks for word in (t / "children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


class Program:
    """A process of ours with its output in files, or its standard output in `stdout`.

    `stdin` is a terminal, which becomes the one that controls the process.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        command: list[str],
        stdout: int | None = None,
        stdin: int | None = None,
    ) -> None:
        self._out, self._err = folder / f"{name}.out", folder / f"{name}.err"
        path = os.pathsep.join([str(ROOT), str(HERE), os.environ.get("PYTHONPATH", "")])
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, *([] if stdin is None else ["-c", TAKE_TERMINAL]), *command],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=out if stdout is None else stdout,
                stderr=err,
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
                cwd=folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def output(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def errors(self) -> str:
        return self._err.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit status; AssertionError with its output when it does not end."""
        try:
            return self.process.wait(WATCHDOG_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end\n{self.output}\n{self.errors}") from None

    def end(self) -> None:
        """Whatever the test left of it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class ServerProgram(Program):
    """`rt-infer server` on a free port, or on the one given."""

    def __init__(
        self, folder: Path, name: str = "server", port: int = 0, words: Sequence[str] = ()
    ) -> None:
        factories = [
            "make",
            "make_far_away",
            "make_in_degrees",
            "make_stranger",
            "make_mirrored",
            "make_failing",
        ]
        factories += ["make_slow", "make_far_start", "make_remembering", "make_turned"]
        allowed = [f"--allow_python=moving_policy:{factory}" for factory in factories]
        command = ["-m", "rt_infer.server", f"--port={port}", *allowed, *words]
        super().__init__(folder, name, command)
        found = wait_until(
            "the server listens", lambda: re.search(r"listening on \S+:(\d+)", self.errors)
        )
        self.port = int(found[1])

    @property
    def workers(self) -> list[int]:
        return [pid for pid in children(self.pid) if alive(pid)]


class RobotProgram(Program):
    """`rt-infer robot` with the simulated FR3; its region is watched from outside."""

    def __init__(
        self,
        folder: Path,
        robot_id: str,
        port: int,
        *words: str,
        stdout: int | None = None,
        stdin: int | None = None,
    ) -> None:
        self.robot_id = robot_id
        self._report = folder / f"{robot_id}.json"
        super().__init__(
            folder,
            robot_id,
            [
                "-m",
                "rt_infer.robot",
                f"--server_address=127.0.0.1:{port}",
                "--robot.type=sim_fr3",
                f"--robot.id={robot_id}",
                "--robot.target_timeout_s=600",
                # Who lives and dies is tested here, not how a loaded machine keeps time.
                *([] if any("patient" in word for word in words) else ["--robot.patient=true"]),
                f"--report={self._report}",
                *words,
            ],
            stdout,
            stdin,
        )

    @property
    def has_reported(self) -> bool:
        return self._report.exists()

    @property
    def report(self) -> dict[str, Any]:
        loaded = json.loads(self._report.read_text())
        assert isinstance(loaded, dict)
        return loaded

    @property
    def core_pid(self) -> int:
        return wait_until("the core runs", lambda: children(self.pid))[0]

    def region(self) -> CoreRegion:
        """The robot's region, read-only."""

        def opened() -> CoreRegion | None:
            try:
                return CoreRegion.open(self.robot_id)
            except FileNotFoundError:
                assert self.process.poll() is None, f"it ended early\n{self.output}\n{self.errors}"
                return None

        return wait_until("the region is there", opened)

    def until(self, region: CoreRegion, what: str, holds: Callable[[CoreState], bool]) -> CoreState:
        """Wait for the core's state to be so."""

        def state() -> CoreState | None:
            now = region.state()
            return now if now is not None and holds(now) else None

        try:
            return wait_until(what, state)
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{region.state()}\n{self.output}\n{self.errors}"
            ) from None

    def until_moving(self, region: CoreRegion, *, after_chunk: int = 0) -> CoreState:
        """Wait until a chunk is followed and the arm is well on its way."""
        return self.until(
            region,
            "the arm moves",
            lambda now: (
                now.phase == Phase.FOLLOW
                and now.chunk_id > after_chunk
                and abs(now.dq).max() > 0.05
            ),
        )


def at_rest(state: CoreState) -> bool:
    return state.phase == Phase.HOLD and abs(state.dq).max() < 1e-3


def assert_sound_motion(report: dict[str, Any]) -> None:
    """The arm was never asked for more than it can do, and never stopped by itself."""
    motion = report["motion"]
    assert motion["reflexes"] == []
    for name in ("velocity_ratio_max", "acceleration_ratio_max", "jerk_ratio_max"):
        assert motion[name] <= 1.0, (name, motion)
