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
    velocity_ratio_max, acceleration_ratio_max, jerk_ratio_max, jerk_squared_sum (of the
    commands, mean over the joints, over all cycles), and reflex, reflex_cycle (index of
    the cycle), both None unless the arm stopped by itself.
    """

FLANGE_M: float
"""From the last joint's frame to the flange, along its z."""

def target_range(
    q_min: Sequence[float] | npt.NDArray[np.float64] | None = None,  # (7,) rad, the joints' range
    q_max: Sequence[float] | npt.NDArray[np.float64] | None = None,  # None: the arm's own
) -> tuple[list[float], list[float]]:
    """Where the core leaves targets as they are: lowest and highest, seven angles each, rad.

    It clamps the others. ValueError: the range leaves no room for a target.
    """

def forward(
    q: npt.ArrayLike,  # (..., 7) rad
    tcp: Sequence[float] | npt.NDArray[np.float64],  # x, y, z m, roll, pitch, yaw rad
) -> npt.NDArray[np.float64]:
    """Poses of the tool centre point in the FR3's base frame, (..., 4, 4).

    ``tcp`` is its pose in the flange's frame; six zeros give the flange. Releases the GIL.
    """

def joint_frames(q: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Poses of the seven joint frames in the base frame: (..., 7) rad to (..., 7, 4, 4).

    Frame i turns about its own z axis by q_i (Craig's convention). Releases the GIL.
    """

def follow_poses(
    seed_q: Sequence[float] | npt.NDArray[np.float64],  # (7,) rad, the waypoint before the first
    poses: npt.ArrayLike,  # (T, 4, 4), the TCP in the base frame
    tcp: Sequence[float] | npt.NDArray[np.float64],
    step_s: float,  # from one pose to the next: no joint goes further than it can in that time
    q_min: Sequence[float] | npt.NDArray[np.float64] | None = None,  # (7,) rad, the joints' range
    q_max: Sequence[float] | npt.NDArray[np.float64] | None = None,  # None: the arm's own
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Joint waypoints (T, 7) rad whose TCP follows ``poses``, and what each misses: (T, 2) m, rad.

    A pose beyond reach, behind a joint's end or too far for one step gives the nearest waypoint
    that is none of it, never a jump. Waypoints stay inside the range by what the core keeps clear,
    so it clamps none of them. Each depends on the one before and on nothing else: a call with the
    last waypoint as its seed goes on where the first ended. A pose that is not finite repeats the
    waypoint before it, with an error that is not finite. ValueError. Releases the GIL.
    """

def keep_in_box(
    q: npt.ArrayLike,  # (T, 7) rad
    box_min: Sequence[float] | npt.NDArray[np.float64],  # (3,) m in the base frame, -inf: open
    box_max: Sequence[float] | npt.NDArray[np.float64],
    tcp: Sequence[float] | npt.NDArray[np.float64],
    step_s: float,
    seed_q: Sequence[float] | npt.NDArray[np.float64] | None = None,  # where the arm is before q[0]
    q_min: Sequence[float] | npt.NDArray[np.float64] | None = None,
    q_max: Sequence[float] | npt.NDArray[np.float64] | None = None,
) -> tuple[npt.NDArray[np.float64], int]:
    """Waypoints (T, 7) with flange and TCP 5 mm inside the box, and how many are not as they were.

    Those that are not have their pose shifted in by the least that does it, and followed as
    ``follow_poses`` would; where no way in is found, the waypoint before is repeated. The others
    are returned as they came. ValueError. Releases the GIL.
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
