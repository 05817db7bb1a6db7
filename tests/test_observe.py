"""Observations: images, joints, policy step and epoch of one and the same moment."""

from __future__ import annotations

import time

import numpy as np
import pytest
from robot_records import Tape, records
from still_camera import publish, stream

from rt_infer.cameras import base
from rt_infer.robot import observe
from rt_infer.robot.observe import HISTORY_CYCLES, ArmHistory, Observer

START_NS = 1_000_000_000
MS = 1_000_000


def test_the_arm_is_looked_up_between_two_cycles() -> None:
    moment = ArmHistory(Tape(records(100))).at(START_NS + 40 * MS + MS // 2)
    assert moment is not None
    assert moment.q_rad[0] == pytest.approx(0.0405)
    assert moment.policy_step == pytest.approx(40.5 * 0.03)
    assert moment.epoch == 1


def test_where_the_arm_was_told_to_be_is_looked_up_for_the_same_moment() -> None:
    made = records(100)
    made["q_command"][:, 0] = made["q"][:, 0] + 0.02  # the arm is behind
    observer = Observer([stream("a", START_NS + 20 * MS + MS // 2)], ArmHistory(Tape(made)))
    built = observer.build(epoch=1, epoch_since_ns=START_NS)
    assert built is not None
    assert built.arm.q_command_rad[0] == pytest.approx(0.0405)
    assert built.arm.q_rad[0] == pytest.approx(0.0205)


def test_a_time_before_the_history_is_unknown() -> None:
    assert ArmHistory(Tape(records(100))).at(START_NS - 1) is None


def test_a_time_just_after_the_newest_record_is_that_record() -> None:
    history = ArmHistory(Tape(records(100)))
    moment = history.at(START_NS + 101 * MS)
    assert moment is not None
    assert moment.q_rad[0] == pytest.approx(0.099)
    assert history.at(START_NS + 200 * MS) is None


def test_between_two_epochs_the_older_one_counts() -> None:
    made = records(100)
    made["epoch"][50:] = 2
    moment = ArmHistory(Tape(made)).at(START_NS + 49 * MS + MS // 2)
    assert moment is not None
    assert moment.epoch == 1
    assert moment.policy_step == pytest.approx(49 * 0.03)


def test_the_history_is_bounded_and_keeps_the_newest() -> None:
    history = ArmHistory(Tape(records(3000), records(3000, start_ns=START_NS + 3000 * MS)))
    assert history.at(START_NS + 10 * MS) is not None
    assert history.at(START_NS + 5999 * MS) is not None
    assert history.at(START_NS + (6000 - HISTORY_CYCLES - 1) * MS) is None


def test_the_oldest_image_gives_the_capture_time() -> None:
    cameras = [stream("a", START_NS + 30 * MS), stream("b", START_NS + 20 * MS)]
    observer = Observer(cameras, ArmHistory(Tape(records(100))), task="touch it")
    built = observer.build(epoch=1, epoch_since_ns=START_NS)
    assert built is not None
    assert built.capture_ns == START_NS + 20 * MS
    assert built.policy_step == pytest.approx(20 * 0.03)
    state = built.values["observation.state"]
    assert isinstance(state, np.ndarray)
    assert (state.dtype, state.shape) == (np.float32, (7,))
    assert state[0] == pytest.approx(0.020)
    assert built.values["task"] == "touch it"
    assert set(built.values) == {
        "observation.state",
        "observation.images.a",
        "observation.images.b",
        "task",
    }


class Fingers:
    """A gripper that was measured at one time only."""

    def __init__(self, time_ns: int, position: float) -> None:
        self._measured = {time_ns: position}

    def at(self, time_ns: int) -> float | None:
        return self._measured.get(time_ns)


def test_the_gripper_is_that_of_the_capture_time_and_follows_the_joints() -> None:
    cameras = [stream("a", START_NS + 20 * MS)]
    fingers = Fingers(START_NS + 20 * MS, 0.25)
    built = Observer(cameras, ArmHistory(Tape(records(100))), "", fingers).build(1, START_NS)
    assert built is not None
    state = built.values["observation.state"]
    assert isinstance(state, np.ndarray)
    assert (state.dtype, state.shape) == (np.float32, (8,))
    assert state[0] == pytest.approx(0.020)
    assert state[7] == 0.25


def test_nothing_is_built_while_the_gripper_tells_nothing_and_the_reason_is_told() -> None:
    cameras = [stream("a", START_NS + 20 * MS)]
    fingers = Fingers(START_NS + 50 * MS, 0.25)
    observer = Observer(cameras, ArmHistory(Tape(records(100))), "", fingers)
    assert observer.build(1, START_NS) is None
    assert observer.trouble is not None
    assert "gripper" in observer.trouble
    publish(cameras[0], 1, START_NS + 50 * MS)
    assert observer.build(1, START_NS) is not None
    assert observer.trouble is None


def test_nothing_is_built_from_before_the_epoch() -> None:
    observer = Observer([stream("a", START_NS + 20 * MS)], ArmHistory(Tape(records(100))))
    assert observer.build(epoch=1, epoch_since_ns=START_NS + 21 * MS) is None


def test_nothing_is_built_for_an_epoch_that_was_not_there_at_capture() -> None:
    observer = Observer([stream("a", START_NS + 20 * MS)], ArmHistory(Tape(records(100))))
    assert observer.build(epoch=2, epoch_since_ns=START_NS) is None


def test_the_same_images_make_one_observation_only() -> None:
    camera = stream("a", START_NS + 20 * MS)
    observer = Observer([camera], ArmHistory(Tape(records(100))))
    assert observer.build(1, START_NS) is not None
    assert observer.build(1, START_NS) is None
    publish(camera, 1, START_NS + 50 * MS)
    assert observer.build(1, START_NS) is not None


def test_every_camera_must_have_seen_something() -> None:
    observer = Observer([stream("a", START_NS), stream("b")], ArmHistory(Tape(records(100))))
    assert observer.build(1, START_NS) is None
    assert observer.trouble is None


def test_images_far_apart_wait_for_the_late_cameras_next_frame() -> None:
    cameras = [stream("a", START_NS + 20 * MS), stream("b", START_NS + 50 * MS)]
    observer = Observer(cameras, ArmHistory(Tape(records(100))))
    assert observer.build(1, START_NS) is None
    publish(cameras[0], 1, START_NS + 51 * MS)
    built = observer.build(1, START_NS)
    assert built is not None
    assert built.capture_ns == START_NS + 50 * MS


def test_a_frozen_camera_stops_observations_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [stream("wrist", START_NS + 20 * MS)]
    now_ns = time.monotonic_ns() + int((observe.FROZEN_S + 0.5) * 1e9)
    monkeypatch.setattr(base.time, "monotonic_ns", lambda: now_ns)
    observer = Observer(cameras, ArmHistory(Tape(records(100))))
    assert observer.build(1, START_NS) is None
    assert observer.trouble is not None
    assert "wrist" in observer.trouble
