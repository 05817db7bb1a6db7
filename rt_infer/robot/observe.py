"""Observations: the newest frame of every camera, with the arm as it stood at that very moment.

The oldest of the images gives an observation its capture time. Joint angles, policy step and epoch
are those of that time, looked up in the core's telemetry and interpolated between two cycles; never
those of "now", which a slow camera would have left behind. The gripper, if there is one, is looked
up in what it told of itself around that time.

No observation is built
- from before the present epoch began (the core would refuse its chunk),
- from the same images twice, or from images that are not newer than the last ones,
- from images that are further apart than cameras of their rate need be,
- while a camera is frozen, or the gripper tells nothing: then `trouble` says which.

One thread, the uplink's, calls everything here.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rt_infer.cameras.base import CameraStream
from rt_infer.policies.base import IMAGE_KEY_PREFIX, STATE_KEY, TASK_KEY

HISTORY_CYCLES = 4096  # of telemetry kept for looking back: four seconds
AHEAD_NS = 5_000_000  # a frame may be this much newer than the newest telemetry record
FROZEN_S = 1.0  # a camera that delivers nothing for so long counts as frozen


class Moment(NamedTuple):
    """The arm at one time."""

    q_rad: npt.NDArray[np.float64]  # (7,) measured
    q_command_rad: npt.NDArray[np.float64]  # (7,) as commanded in the same cycle
    policy_step: float
    epoch: int


class Observation(NamedTuple):
    """What is sent for one chunk, and the stamps that travel with it."""

    values: dict[str, npt.NDArray[np.generic] | str]
    policy_step: float
    epoch: int
    capture_ns: int
    arm: Moment  # as it was then: what the actions of the answer may be counted from


class RecordSource(Protocol):
    """Where the arm's records come from: rt_infer.robot.region.Telemetry."""

    def read(self) -> npt.NDArray[np.void]: ...


class Fingers(Protocol):
    """Where a gripper was: rt_infer.grippers.driver.GripperDriver."""

    def at(self, time_ns: int) -> float | None:
        """0 closed … 1 open; None if it is not known."""
        ...


class ArmHistory:
    """The last `HISTORY_CYCLES` telemetry records, to look up where the arm was."""

    def __init__(self, source: RecordSource) -> None:
        self._source = source
        self._records: npt.NDArray[np.void] | None = None

    def at(self, time_ns: int) -> Moment | None:
        """The arm at `time_ns`; None when that is not known (any more, or yet)."""
        fresh = self._source.read()
        if self._records is None:
            self._records = fresh
        elif len(fresh):
            self._records = np.concatenate([self._records, fresh])[-HISTORY_CYCLES:]
        records = self._records
        if len(records) == 0 or time_ns > int(records["time_ns"][-1]) + AHEAD_NS:
            return None
        after = int(np.searchsorted(records["time_ns"], time_ns, side="left"))
        if after == len(records):
            return _moment(records[-1])
        if int(records["time_ns"][after]) == time_ns:
            return _moment(records[after])
        if after == 0:
            return None
        before, next_ = records[after - 1], records[after]
        if before["epoch"] != next_["epoch"]:
            return _moment(before)
        span_ns = int(next_["time_ns"]) - int(before["time_ns"])
        share = (time_ns - int(before["time_ns"])) / span_ns
        return Moment(
            q_rad=_between(before, next_, "q", share),
            q_command_rad=_between(before, next_, "q_command", share),
            policy_step=float(
                before["policy_step"] + share * (next_["policy_step"] - before["policy_step"])
            ),
            epoch=int(before["epoch"]),
        )


class Observer:
    """Builds observations from camera streams and the arm's history."""

    def __init__(
        self,
        cameras: Sequence[CameraStream],
        history: ArmHistory,
        task: str = "",
        gripper: Fingers | None = None,
    ) -> None:
        self._cameras = list(cameras)
        self._history = history
        self._gripper = gripper
        self._task = task
        self._last_capture_ns = 0
        # Two cameras that run free see each other's last frame at most half a period away, twice a
        # period; the rest is jitter.
        slowest_s = max((1.0 / stream.camera.fps for stream in cameras), default=0.0)
        self._spread_ns = int(0.6e9 * slowest_s)
        self.trouble: str | None = None

    @property
    def image_shapes(self) -> Mapping[str, tuple[int, int, int]]:
        """Camera name to (height, width, 3), as the policy will see them."""
        return {stream.camera.name: stream.camera.shape for stream in self._cameras}

    def build(self, epoch: int, epoch_since_ns: int) -> Observation | None:
        """A new observation of `epoch`; None while there is none to be had.

        The images are leased from the cameras: they stay as they are until the next `build`.
        """
        self.trouble = self._find_trouble()
        if self.trouble is not None:
            return None
        frames = {stream.camera.name: stream.slot.take() for stream in self._cameras}
        images = {name: frame for name, frame in frames.items() if frame is not None}
        if len(images) < len(frames):
            return None
        times_ns = [frame.capture_ns for frame in images.values()] or [time.monotonic_ns()]
        if max(times_ns) - min(times_ns) > self._spread_ns:
            return None
        capture_ns = min(times_ns)
        if capture_ns <= self._last_capture_ns or capture_ns < epoch_since_ns:
            return None
        moment = self._history.at(capture_ns)
        if moment is None or moment.epoch != epoch:
            return None
        tool = self._tool_at(capture_ns)
        if tool is None:
            return None
        self._last_capture_ns = capture_ns
        values: dict[str, npt.NDArray[np.generic] | str] = {
            STATE_KEY: np.concatenate([moment.q_rad, tool]).astype(np.float32),
            TASK_KEY: self._task,
        }
        for name, frame in images.items():
            values[IMAGE_KEY_PREFIX + name] = frame.image
        return Observation(values, moment.policy_step, epoch, capture_ns, moment)

    def _tool_at(self, time_ns: int) -> list[float] | None:
        """What follows the joints in the state; None if it is not known."""
        if self._gripper is None:
            return []
        position = self._gripper.at(time_ns)
        if position is None:
            self.trouble = "The gripper does not tell where it is; the arm rests until it does."
            return None
        return [position]

    def _find_trouble(self) -> str | None:
        for stream in self._cameras:
            if stream.error is not None:
                return stream.error
            if stream.age_s > FROZEN_S:
                return (
                    f"Camera {stream.camera.name!r} has delivered no frame for "
                    f"{stream.age_s:.1f} s; the arm rests until it does."
                )
        return None


def _moment(record: np.void) -> Moment:
    return Moment(
        q_rad=record["q"].copy(),
        q_command_rad=record["q_command"].copy(),
        policy_step=float(record["policy_step"]),
        epoch=int(record["epoch"]),
    )


def _between(before: np.void, next_: np.void, field: str, share: float) -> npt.NDArray[np.float64]:
    value: npt.NDArray[np.float64] = before[field] + share * (next_[field] - before[field])
    return value
