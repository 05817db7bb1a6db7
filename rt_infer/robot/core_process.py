"""Starts the realtime core in a process of its own, keeps it informed, and learns how it ended.

The core is exec'd into its own session with nothing of ours but the region, the read end of the
heartbeat pipe and a memory file for what it prints: no terminal, no Ctrl-C, no pipe that could
fill up. It looks after itself: bytes on the pipe mean that we live, silence makes it rest, and the
end of the pipe, however we end, makes it rest, end the motion, and exit.

One thread at a time may call the methods of a CoreProcess.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import rt_infer
from rt_infer.robot.region import CoreRegion, Phase
from rt_infer.robots.fr3_kinematics import LOWER_RAD, UPPER_RAD

__all__ = ["CoreConfig", "CoreFailed", "CoreProcess"]

HEARTBEAT_PERIOD_S = 0.05
_REST_PATIENCE_S = 15.0  # slower than any arm comes to rest from full speed


class CoreFailed(RuntimeError):
    """The core could not start; the text is its own sentence."""


@dataclass(frozen=True)
class CoreConfig:
    """What the core is told once, at its start."""

    arm: Mapping[str, Any]  # {"type": "sim_fr3", …}: which arm, and its options
    fps: float = 30.0  # policy steps a second at full speed
    speed: float = 1.0  # fraction of fps that the policy clock may reach
    max_age_s: float = 2.0  # chunks of older observations are refused
    max_start_distance_rad: float = 0.5  # first target of an epoch from the arm, worst joint
    aggregate: str = "weighted_average"
    tolerance_rad: float = 0.0  # by which smoothing may move a target
    crossfade_steps: float = 10.0  # aggregate "crossfade": actions until the new chunk is all there
    offset_decay_s: float = 0.3  # aggregate "offset_decay": time constant
    # Where joints may be, inside the arm's own range [rad].
    joint_lower: Sequence[float] = tuple(LOWER_RAD.tolist())
    joint_upper: Sequence[float] = tuple(UPPER_RAD.tolist())
    box_min: Sequence[float] = (-math.inf,) * 3  # where flange and TCP may be, base frame [m]
    box_max: Sequence[float] = (math.inf,) * 3
    tcp: Sequence[float] = (0.0,) * 6  # in the flange's frame: x y z [m], roll pitch yaw [rad]
    rt_priority: int = 80  # SCHED_FIFO; 0: ordinary scheduling
    rt_cpu: int | None = None  # None: any
    rt_require: bool = False  # what the machine refuses is an error

    def to_json(self) -> str:
        """As the core reads it."""
        return json.dumps({**asdict(self), "arm": dict(self.arm)})


class CoreProcess:
    """A running core. Leaving the ``with`` block ends it in order, and by force only at last."""

    def __init__(
        self, process: subprocess.Popen[bytes], heartbeat_fd: int, log_fd: int, region: CoreRegion
    ) -> None:
        self._process = process
        self._heartbeat_fd = heartbeat_fd
        self._log_fd = log_fd
        self._log_read = 0
        self._region = region

    @classmethod
    def start(cls, region: CoreRegion, config: CoreConfig, timeout_s: float = 20.0) -> CoreProcess:
        """Start the core on a region and wait until it holds the arm.

        CoreFailed: it could not start, or not within ``timeout_s``; its own sentence says why.
        """
        core = cls._spawn(region, config)
        try:
            core._wait_until_ready(timeout_s)
        except BaseException:
            core.close()
            raise
        return core

    @property
    def pid(self) -> int:
        return self._process.pid

    def heartbeat(self, *, paused: bool = False) -> None:
        """Say that we live, and whether the arm is to stand still; due every HEARTBEAT_PERIOD_S.

        Does nothing once the core has ended.
        """
        self._send(b"p" if paused else b"h")

    def finish(self) -> None:
        """Ask it to come to rest on its path, end the motion, and exit."""
        self._send(b"f")

    def poll(self) -> int | None:
        """Its exit status: 0 finished, 5 the arm faulted, 2 could not start, -n signal n."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for its end without sending heartbeats; None if it has not come by then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout_s)
        return None

    def new_log_lines(self) -> list[str]:
        """What it has printed since the last call: mostly what the machine refused it."""
        text = os.pread(self._log_fd, 1 << 20, self._log_read)
        whole = text[: text.rfind(b"\n") + 1] if self.poll() is None else text
        self._log_read += len(whole)
        return whole.decode(errors="replace").splitlines()

    def close(self) -> None:
        """End it in order: it rests first. Killed only if that takes longer than any arm could."""
        if self._heartbeat_fd >= 0:
            self.finish()
            os.close(self._heartbeat_fd)
            self._heartbeat_fd = -1
        if self.wait(_REST_PATIENCE_S) is None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> CoreProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Only descriptors: without its pipe the core ends by itself.
        for fd in (self._heartbeat_fd, self._log_fd):
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)

    @classmethod
    def _spawn(cls, region: CoreRegion, config: CoreConfig) -> CoreProcess:
        heartbeat_read, heartbeat_write = os.pipe2(os.O_CLOEXEC)
        # A pipe that is full belongs to a core that has stopped reading: nothing to wait for.
        os.set_blocking(heartbeat_write, False)
        log_fd = os.memfd_create("rt-infer-core-log", os.MFD_CLOEXEC)
        command = [sys.executable, "-m", "rt_infer.robot.core_main"]
        try:
            process = subprocess.Popen(
                [*command, str(region.fd), str(heartbeat_read), config.to_json()],
                pass_fds=(region.fd, heartbeat_read),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log_fd,
                start_new_session=True,
                cwd="/",
                env=_environment(),
            )
        except BaseException:
            os.close(heartbeat_write)
            os.close(log_fd)
            raise
        finally:
            os.close(heartbeat_read)
        return cls(process, heartbeat_write, log_fd, region)

    def _wait_until_ready(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        while True:
            self.heartbeat()
            state = self._region.state()
            if state is not None and state.phase >= Phase.HOLD:
                return
            if self.poll() is not None:
                lines = self.new_log_lines()
                raise CoreFailed(lines[-1] if lines else f"The core ended with {self.poll()}.")
            if time.monotonic() >= deadline_s:
                raise CoreFailed(
                    f"The core did not hold the arm within {timeout_s:g} s: is the arm reachable"
                    " and ready to move?"
                )
            time.sleep(HEARTBEAT_PERIOD_S / 10)

    def _send(self, byte: bytes) -> None:
        if self._heartbeat_fd >= 0:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._heartbeat_fd, byte)


def _environment() -> dict[str, str]:
    """Ours, with this very package found first and nothing from the current folder."""
    home = str(Path(rt_infer.__file__).resolve().parent.parent)
    path = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1"}
