"""The C++ core: shared memory region, realtime loop, runs in virtual time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

ABI_VERSION: int
LAYOUT_HASH: int  # RTI_LAYOUT_HASH of rt_infer.h
COMPILER: str
DOF: int
MAX_CHUNK: int
MAX_VALUES: int

class RegionError(RuntimeError):
    """What a descriptor refers to is not a region that can be used; one sentence says why."""

class Region:
    """A mapped region (csrc/include/rt_infer.h). Methods hold the GIL."""

    @staticmethod
    def format(fd: int, robot_id: str, fps: float, generation: int) -> None:
        """Make a published region of the empty shared memory object behind ``fd``."""

    @staticmethod
    def attach(fd: int, *, writable: bool, timeout_s: float = 0.0) -> Region:
        """Map the region behind ``fd``, which may be closed afterwards; RegionError."""

    @property
    def robot_id(self) -> str: ...
    @property
    def fps(self) -> float: ...
    @property
    def generation(self) -> int: ...
    @property
    def creator_pid(self) -> int: ...
    def push_chunk(
        self,
        actions: npt.NDArray[np.float32],
        epoch: int,
        chunk_id: int,
        capture_ns: int,
        origin_step: float,
        received_ns: int,
    ) -> bool:
        """Queue a (T, A) chunk with one publish; False: the ring is full. ValueError."""

    def push_new_epoch(self) -> bool: ...
    def keep_pushed(self) -> None:
        """From now on a copy is kept of what is pushed, until ``pushed`` hands it out."""

    def pushed(self) -> npt.NDArray[np.void]:
        """The records pushed since the last call, in order, fields of rti_action. ValueError."""

    def state(self) -> dict[str, Any] | None:
        """The fields of rti_state; None if the core has published none yet."""

    def stats(self) -> dict[str, Any]:
        """The fields of rti_stats; histograms as {count, max_ns, sum_ns, buckets}."""

class TelemetryReader:
    """A cursor in the telemetry ring, at the oldest record that is still there."""

    def __init__(self, region: Region) -> None: ...
    def read(self) -> npt.NDArray[np.void]:
        """The records since the last call, fields of rti_record."""

    @property
    def lost(self) -> int: ...

def record_dtype() -> np.dtype[np.void]:
    """numpy's view of rti_record."""

def action_dtype() -> np.dtype[np.void]:
    """numpy's view of rti_action."""

def histogram_percentile_ns(
    buckets: npt.NDArray[np.uint64], max_ns: int, percent: float
) -> int: ...
def run(region_fd: int, heartbeat_fd: int, config: Mapping[str, Any]) -> int:
    """Run the control loop in this thread, without the GIL, until the motion has ended.

    Returns the phase it ended in, 4 finished or 5 fault. RuntimeError or ValueError: it could not
    start. ``config`` has the keys of ``rt_infer.robot.core_process.CoreConfig``.
    """

def simulate(
    config: Mapping[str, Any],
    cycles: int,
    chunks: Sequence[
        tuple[int, npt.ArrayLike, float | None, int, int | None]
    ] = ...,  # (cycle, actions (T, A) rad, origin_step, capture_cycle, epoch)
    requests: Sequence[tuple[int, str]] = ...,  # (from this cycle on, "follow" | "rest" | "finish")
    lost: Sequence[tuple[int, int]] = ...,  # (cycle, cycles that pass unanswered before it)
    new_epochs: Sequence[int] = ...,  # cycles
) -> dict[str, Any]:
    """The stepper against the simulated FR3 in virtual time; equal scripts give equal runs.

    A chunk arrives in ``cycle`` from an observation of ``capture_cycle``, an earlier one; where
    ``origin_step`` or ``epoch`` is None it is what the core told at the capture. ``config`` is that
    of ``run``; ``arm`` may be left out.

    Arrays with a row for each cycle that was played: time_ns, elapsed_cycles, q and q_command (7)
    rad, policy_step, policy_rate steps/s, phase, flags, epoch, tool (9) and tool_values, how many
    of them are in force, chunk_id (1 is the first of ``chunks``). Besides: counts (dict),
    velocity_ratio_max, acceleration_ratio_max, jerk_ratio_max, and reflex, reflex_cycle (index of
    the cycle), both None unless the arm stopped by itself.
    """

def judge(
    start_pose_rad: Sequence[float] | npt.NDArray[np.float64],
    commands: npt.ArrayLike,  # (N, 7) rad, as the arm gets them
    lost: Sequence[tuple[int, int]] = ...,  # (command, cycles that pass unanswered before it)
) -> tuple[int, str | None]:
    """What the simulated FR3 says of a raw stream of commands, in virtual time.

    Returns the cycles that it took and the reflex that ended them, FCI's name; None if it took all.
    The first count is also the index of the failing cycle, counted from 0 over the answered and the
    lost ones. ValueError: the shape is wrong, or cycles are lost before a command that is not
    there. RuntimeError: the start pose is out of the joints' range.
    """

class Replay:
    """A fresh stepper that is given what the one of a recorded run was given.

    ``config`` is that of ``run``; only what concerns the motion counts. ValueError: it is none.
    """

    def __init__(self, config: Mapping[str, Any]) -> None: ...
    def push(self, records: npt.NDArray[np.void]) -> None:
        """What was pushed into the ring next: an array of ``action_dtype``, in order."""

    def play(self, recorded: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        """The next cycles: ``recorded``, of ``record_dtype``, with every output as it is now.

        Runs without the GIL. ValueError: no run leaves such records behind.
        """
