"""The shared memory between this process and the realtime core, from the network process's side.

Layout and protocol: csrc/include/rt_infer.h. The creator of a region is its one producer: one
thread calls ``push_chunk`` and ``new_epoch``; anyone may read. The core inherits the descriptor and
with it the lock that says the robot is taken (claim.py): do not fork other children without exec.
"""

from __future__ import annotations

import os
from enum import IntEnum
from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import rt_infer._core as _core
from rt_infer.robot import claim
from rt_infer.robot.claim import RegionBusy
from rt_infer.robot.statistics import RunStatistics

__all__ = ["CoreRegion", "CoreState", "Phase", "RegionBusy", "RegionError", "Telemetry"]

RegionError = _core.RegionError

MAX_CHUNK: int = _core.MAX_CHUNK  # actions of one chunk
MAX_VALUES: int = _core.MAX_VALUES  # values of one action


class Phase(IntEnum):
    """``rti_phase`` of csrc/include/rt_infer.h."""

    STARTING = 0
    HOLD = 1  # at rest, waiting for an admissible chunk
    FOLLOW = 2  # on the path
    BRAKE = 3  # coming to rest along the path
    FINISHED = 4  # the motion ended in order
    FAULT = 5  # the arm stopped by itself


class CoreState(NamedTuple):
    """The core's latest state: ``rti_state`` of csrc/include/rt_infer.h."""

    cycle: int  # the arm's count of 1 ms cycles
    time_ns: int  # CLOCK_MONOTONIC when the arm's state was received
    policy_step: float  # the policy clock
    policy_rate: float  # its speed, steps/s
    steps_queued: float  # what is left of the chunk admitted last, steps
    epoch: int
    epoch_since_ns: int  # observations captured before this are void
    phase: Phase
    reflex: str | None  # why the arm stopped by itself, FCI's name
    last_refusal: str | None  # of the last chunk refused: "epoch", "age", "fence", …
    chunk_id: int  # being followed; 0: none yet
    chunks_admitted: int
    chunks_refused: int
    start_distance_rad: float  # of the last chunk refused for "start"
    q: npt.NDArray[np.float64]  # (7,) measured [rad]
    dq: npt.NDArray[np.float64]  # (7,) measured [rad/s]
    q_command: npt.NDArray[np.float64]  # (7,) last command [rad]
    tool: npt.NDArray[np.float64]  # (k,) of the newest action whose step has come; k = 0: none yet


class Telemetry:
    """A cursor of one's own in the telemetry ring: a record for each cycle, 16 s deep."""

    def __init__(self, region: _core.Region) -> None:
        self._reader = _core.TelemetryReader(region)

    def read(self) -> npt.NDArray[np.void]:
        """The records since the last call, oldest first: a structured array of rti_record."""
        return self._reader.read()

    @property
    def lost(self) -> int:
        """Records that were overwritten before they were read."""
        return self._reader.lost


class CoreRegion:
    """A robot's region. Made by ``create`` (the owner) or ``open`` (who only watches)."""

    def __init__(self, name: str, fd: int, native: _core.Region, *, owner: bool) -> None:
        self.name = name
        self.fd = fd
        self._native = native
        self._owner = owner

    @classmethod
    def create(cls, robot_id: str, fps: float, wait_s: float = 3.0) -> CoreRegion:
        """Own the robot's region; what a dead owner left is replaced.

        Waits up to ``wait_s`` for a core that is still bringing its arm to rest, then raises
        RegionBusy, which names the process. ValueError: the id is no name. RegionError: the machine
        has no room for it.
        """
        name = claim.object_name(robot_id)

        def fill(fd: int, generation: int) -> None:
            _core.Region.format(fd, robot_id, fps, generation)

        fd = claim.claim(name, fill, _describe, wait_s)
        try:
            return cls(name, fd, _map_apart(fd), owner=True)
        except BaseException:
            claim.release(name, fd)
            raise

    @classmethod
    def open(cls, robot_id: str, timeout_s: float = 0.0) -> CoreRegion:
        """Watch a robot's region, read-only.

        FileNotFoundError: nobody drives this robot. RegionBusy: another user does.
        """
        name = claim.object_name(robot_id)
        fd = claim.open_object(name, writable=False)
        try:
            native = _core.Region.attach(fd, writable=False, timeout_s=timeout_s)
        except BaseException:
            os.close(fd)
            raise
        return cls(name, fd, native, owner=False)

    @property
    def robot_id(self) -> str:
        return self._native.robot_id

    @property
    def generation(self) -> int:
        """Rises by one each time this robot's region is made again after a crash."""
        return self._native.generation

    @property
    def creator_pid(self) -> int:
        """For messages only: the process may be gone, its core still alive."""
        return self._native.creator_pid

    def push_chunk(
        self,
        actions: npt.ArrayLike,
        *,
        epoch: int,
        chunk_id: int,
        capture_ns: int,
        origin_step: float,
        received_ns: int,
    ) -> bool:
        """Queue a chunk with one publish; False where the ring is full (counted there).

        ``actions`` is (T, A), T ≤ MAX_CHUNK, 7 ≤ A ≤ MAX_VALUES, joint positions in rad first;
        action i belongs to the policy step ``origin_step + i``. ValueError for another shape, or a
        value that is not finite: nothing is queued then.
        """
        array = np.ascontiguousarray(actions, dtype=np.float32)
        return self._native.push_chunk(array, epoch, chunk_id, capture_ns, origin_step, received_ns)

    def new_epoch(self) -> bool:
        """Void everything queued: the core rests and raises its epoch. False: the ring is full."""
        return self._native.push_new_epoch()

    def keep_pushed(self) -> None:
        """Keep a copy of what is pushed from now on, until `pushed` hands it out."""
        self._native.keep_pushed()

    def pushed(self) -> npt.NDArray[np.void]:
        """What was pushed since the last call, in order: a structured array of rti_action.

        Any one thread. Whatever a cycle of `telemetry` had drained when it was read is among it.
        """
        return self._native.pushed()

    def state(self) -> CoreState | None:
        """The latest state; None while the core has not yet published one."""
        values = self._native.state()
        if values is None:
            return None
        values["phase"] = Phase(values["phase"])
        return CoreState(**values)

    def telemetry(self) -> Telemetry:
        """A new cursor at the oldest record that is still there."""
        return Telemetry(self._native)

    def stats(self) -> RunStatistics:
        """The run's statistics so far; they outlive the core."""
        return RunStatistics.from_core(self._native.stats())

    def close(self) -> None:
        """Close the descriptor; the owner takes the name away too, unless its core still lives.

        What was mapped stays readable. The owner pushes nothing any more.
        """
        fd, self.fd = self.fd, -1
        if fd < 0:
            return
        if self._owner:
            claim.release(self.name, fd)
        else:
            os.close(fd)

    def __enter__(self) -> CoreRegion:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _map_apart(fd: int) -> _core.Region:
    """Map through an open file description of its own.

    A mapping keeps the description alive that it was made through, and with it the lock: statistics
    that somebody still looks at must not keep the robot taken.
    """
    own_fd = os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)
    try:
        return _core.Region.attach(own_fd, writable=True)
    finally:
        os.close(own_fd)


def _describe(fd: int) -> tuple[int, int]:
    try:
        native = _core.Region.attach(fd, writable=False)
    except _core.RegionError:  # of another version, or cut off while it was made
        return 0, 0
    return native.generation, native.creator_pid
