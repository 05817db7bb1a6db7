"""What the network process makes of the telemetry: the score, and the newest minutes of motion."""

from __future__ import annotations

import numpy as np
import pytest
from robot_records import Tape, records

from rt_infer.robot.recorder import SCORE_EVERY_CYCLES, Recorder
from rt_infer.robot.timings import Timings


class CountingTask:
    done = False

    def __init__(self) -> None:
        self.times_s: list[float] = []

    def update(self, q_rad: object, time_s: float) -> None:
        self.times_s.append(time_s)

    def score(self) -> dict[str, int]:
        return {}


def test_the_recorder_keeps_the_score_and_the_motion() -> None:
    task = CountingTask()
    made = records(200)
    made["chunk_id"] = 1
    recorder = Recorder(Tape(made[:90], made[90:]), Timings(), task, keep=True)
    recorder.drain()
    recorder.drain()
    recorder.drain()
    kept = recorder.records()
    assert kept is not None
    np.testing.assert_array_equal(kept["cycle"], np.arange(200))
    assert len(task.times_s) == 200 // SCORE_EVERY_CYCLES
    assert task.times_s == sorted(task.times_s)


def test_nothing_is_scored_before_the_first_chunk_is_followed() -> None:
    task = CountingTask()
    made = records(200)
    made["chunk_id"][100:] = 1  # until then the policy loads, and the arm waits where it is
    Recorder(Tape(made), Timings(), task, keep=False).drain()
    assert task.times_s[0] == made["time_ns"][100] / 1e9
    assert len(task.times_s) == 100 // SCORE_EVERY_CYCLES


def test_in_a_pause_the_time_of_the_task_stands() -> None:
    task = CountingTask()
    made = records(300)  # a millisecond each
    made["chunk_id"] = 1
    recorder = Recorder(Tape(made[:100], made[100:200], made[200:]), Timings(), task, keep=False)
    for paused in (False, True, False):
        recorder.drain(paused=paused)
    assert task.times_s == sorted(task.times_s)
    unpaused_s = (299 - 100) // SCORE_EVERY_CYCLES * SCORE_EVERY_CYCLES * 1e-3
    assert task.times_s[-1] - task.times_s[0] == pytest.approx(unpaused_s)


def test_the_recorder_keeps_only_the_newest_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rt_infer.robot.recorder.KEEP_CYCLES", 1000)
    tape = Tape(*(records(100, start_ns=i * 100_000_000) for i in range(50)))
    recorder = Recorder(tape, Timings(), None, keep=True)
    for _ in range(50):
        recorder.drain()
    kept = recorder.records()
    assert kept is not None
    assert 1000 <= len(kept) < 1100
    assert kept["time_ns"][-1] == 49 * 100_000_000 + 99_000_000
