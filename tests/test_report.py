"""The report's keys and numbers, the table, the plain lines, and the plot."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from robot_records import RECORD, Tape, records

from rt_infer.config import RunConfig
from rt_infer.report import plot, report
from rt_infer.report.table import print_table
from rt_infer.robot.chunks import Verdict
from rt_infer.robot.recorder import SCORE_EVERY_CYCLES, Recorder
from rt_infer.robot.region import CoreRegion
from rt_infer.robot.result import (
    EXIT_DONE,
    EXIT_FAULT,
    EXIT_NO_CONNECTION,
    EXIT_REFUSED,
    Ending,
    RunResult,
)
from rt_infer.robot.statistics import RunStatistics
from rt_infer.robot.timings import LinkCounts, Timings
from rt_infer.robots.fr3_limits import ratios
from rt_infer.robots.sim_fr3 import SimFr3Config

SERVER = ("queue", "prepare", "infer", "finish")
CONTRACT = {
    "schema": "rt-infer.run/1",
    "outcome": "",
    "fault": None,
    "robot": {"type": "", "id": ""},
    "policy": {"type": "", "path": ""},
    "duration_s": 0.0,
    "steps": {"executed": 0, "holds": 0, "held_s": 0.0},
    "chunks": {"received": 0, "refused": 0, "late_steps": 0},
    "latency_ms": {
        stage: {"p50": 0, "p99": 0, "max": 0}
        for stage in [
            "capture",
            "encode",
            "network",
            "queue",
            "prepare",
            "infer",
            "finish",
            "splice",
            "total",
        ]
    },
    "loop": {
        "cycles": 0,
        "period_us": {"p50": 0, "p99": 0, "p99_9": 0, "max": 0},
        "response_us": {"p50": 0, "p99": 0, "p99_9": 0, "max": 0},
        "late_cycles": 0,
        "minor_faults": 0,
        "major_faults": 0,
        "scheduling": {"policy": "", "priority": 0, "cpu": None, "memory_locked": True},
    },
    "motion": {
        "velocity_ratio_max": 0.0,
        "acceleration_ratio_max": 0.0,
        "jerk_ratio_max": 0.0,
        "limiter_interventions": 0,
        "reflexes": [],
    },
    "link": {"transport": "tcp", "reconnects": 0, "bytes_sent": 0, "bytes_received": 0},
    "task": None,
}


def config() -> RunConfig:
    return RunConfig(robot=SimFr3Config(id="arm"), policy_type="reach")


@pytest.fixture
def stats() -> RunStatistics:
    """The statistics of a core that has not begun."""
    with CoreRegion.create("report-test", fps=30.0) as region:
        return region.stats()


def result(stats: RunStatistics, ending: Ending | None = None) -> RunResult:
    return RunResult(
        ending=ending or Ending(EXIT_DONE),
        duration_s=1.0,
        stats=stats,
        timings=Timings(),
        link=LinkCounts("tcp"),
    )


def missing(expected: object, found: object, path: str = "") -> list[str]:
    """Keys of the contract that a report lacks, and values of another kind."""
    if not isinstance(expected, dict):
        return []
    if not isinstance(found, dict):
        return [path]
    lacks = [f"{path}.{key}" for key in expected if key not in found]
    deeper = [missing(value, found.get(key), f"{path}.{key}") for key, value in expected.items()]
    return lacks + [each for some in deeper for each in some]


def test_every_key_of_the_contract_is_there_even_when_nothing_happened(
    stats: RunStatistics,
) -> None:
    built = report.build(config(), result(stats))
    assert missing(CONTRACT, built) == []
    json.dumps(built, allow_nan=False)


def test_the_check_for_missing_keys_finds_them(stats: RunStatistics) -> None:
    built = report.build(config(), result(stats))
    del built["loop"]["period_us"]["p99_9"], built["task"]
    assert missing(CONTRACT, built) == [".task", ".loop.period_us.p99_9"]


@pytest.mark.parametrize(
    ("ending", "outcome", "fault"),
    [
        (Ending(EXIT_DONE), "finished", None),
        (Ending(EXIT_DONE, "Stopped by SIGINT.", stopped=True), "stopped", None),
        (Ending(EXIT_REFUSED, "No."), "refused", None),
        (Ending(EXIT_NO_CONNECTION, "Nobody there."), "refused", None),
        (Ending(EXIT_FAULT, "The arm stopped."), "fault", "The arm stopped."),
    ],
)
def test_the_outcome_says_how_it_ended(
    stats: RunStatistics, ending: Ending, outcome: str, fault: str | None
) -> None:
    built = report.build(config(), result(stats, ending))
    assert (built["outcome"], built["fault"]) == (outcome, fault)


def test_refusals_of_both_sides_are_added_up(stats: RunStatistics) -> None:
    over = result(stats)
    over.refused = {Verdict.OLD_EPOCH: 2, Verdict.TOO_OLD: 1}
    stats.refused["order"] = 4
    built = report.build(config(), over)
    assert built["chunks"]["refused"] == 7
    assert built["chunks"]["refused_before_core"] == {"age": 1, "epoch": 2}


def test_the_stages_of_a_chunk_add_up() -> None:
    timings = Timings()
    server = {"queue": 1.0, "prepare": 2.0, "infer": 30.0, "finish": 3.0, "total": 37.0}
    timings.received(
        chunk_id=7,
        capture_ns=1_000_000,
        ready_ns=21_000_000,
        sent_ns=22_000_000,
        received_ns=64_000_000,
        server_ms=server,
    )
    timings.followed(7, 66_000_000)
    timings.followed(8, 99_000_000)  # unknown: of an earlier run, or told twice
    found = {stage: timings.summary(stage)["max"] for stage in timings.stages_ms}
    assert found == {
        "capture": 20.0,
        "encode": 1.0,
        "network": 5.0,
        "queue": 1.0,
        "prepare": 2.0,
        "infer": 30.0,
        "finish": 3.0,
        "total": 65.0,
    }


def test_chunks_that_are_never_followed_are_forgotten() -> None:
    timings = Timings()
    server = dict.fromkeys(("queue", "prepare", "infer", "finish", "total"), 1.0)
    for chunk_id in range(2000):
        timings.received(
            chunk_id=chunk_id,
            capture_ns=0,
            ready_ns=0,
            sent_ns=0,
            received_ns=0,
            server_ms=server,
        )
    assert len(timings._captured_ns) < 300


def test_a_chunk_may_be_followed_while_it_is_being_forgotten() -> None:
    class Followed(dict[int, int]):
        """The main thread takes the oldest chunk out just after the uplink has found it."""

        def __iter__(self) -> Iterator[int]:
            oldest = min(self.keys())
            yield from list(self.keys())
            timings.followed(oldest, 0)

    timings = Timings(_captured_ns=Followed((number, 0) for number in range(256)))
    server = dict.fromkeys(("queue", "prepare", "infer", "finish", "total"), 1.0)
    times = dict.fromkeys(("capture_ns", "ready_ns", "sent_ns", "received_ns"), 0)
    timings.received(chunk_id=256, server_ms=server, **times)
    assert timings.stages_ms["total"].tolist() == [0.0]


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    report.write({"a": 1}, str(path))
    assert json.loads(path.read_text()) == {"a": 1}
    with pytest.raises(ValueError, match="JSON"):
        report.write({"a": float("nan")}, str(path))
    assert json.loads(path.read_text()) == {"a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]


def test_the_table_marks_what_is_over_the_limit(
    stats: RunStatistics,
) -> None:
    built = report.build(config(), result(stats))
    built["motion"]["jerk_ratio_max"] = 1.25
    built["task"] = {"targets": 10, "reached": 9}
    text = io.StringIO()
    print_table(built, Console(file=text, width=80, force_terminal=True))
    assert "9 of 10 targets reached" in text.getvalue()
    assert "\x1b[31m1.250" in text.getvalue()


def test_no_line_of_the_table_breaks_on_a_terminal_of_80_columns(stats: RunStatistics) -> None:
    text = io.StringIO()
    print_table(report.build(config(), result(stats)), Console(file=text, width=80))
    rows = [line for line in text.getvalue().splitlines() if "p50" in line]
    assert len(rows) == 12
    assert all("max" in row and row.rstrip().endswith(("ms", "µs")) for row in rows)


def table(built: dict[str, Any]) -> str:
    text = io.StringIO()
    print_table(built, Console(file=text, width=100))
    return text.getvalue()


def test_the_table_says_why_chunks_were_refused(stats: RunStatistics) -> None:
    over = result(stats)
    over.link.chunks_received = 4
    over.refused = {Verdict.TOO_OLD: 1}
    stats.refused["age"] = 2
    assert "4 received, 3 refused (age 3)" in table(report.build(config(), over))


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


def test_ratios_are_what_backward_euler_says() -> None:
    cycles = np.arange(6, dtype=np.uint64)
    path = np.zeros((6, 7))
    path[:, 0] = [0.0, 0.0, 1e-6, 3e-6, 6e-6, 9e-6]
    used = ratios(path, cycles)
    velocity = np.array([0, 0, 1e-3, 2e-3, 3e-3, 3e-3])
    np.testing.assert_allclose(used.velocity[:, 0], velocity / 2.619, rtol=1e-6)
    np.testing.assert_allclose(used.acceleration[:, 0], [0, 0, 0.1, 0.1, 0.1, 0], atol=1e-9)
    np.testing.assert_allclose(used.jerk[:, 0], [0, 0, 0.2, 0, 0, 0.2], atol=1e-6)


def test_ratios_do_not_reach_over_missing_cycles() -> None:
    cycles = np.array([0, 1, 2, 5, 6, 7, 8], dtype=np.uint64)
    used = ratios(np.zeros((7, 7)), cycles)
    assert np.isnan(used.velocity[:, 0]).tolist() == [False] * 3 + [True] + [False] * 3
    assert np.isnan(used.acceleration[:, 0]).tolist() == [False] * 3 + [True] * 2 + [False] * 2
    assert np.isnan(used.jerk[:, 0]).tolist() == [False] * 3 + [True] * 3 + [False]


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    made = records(3000)
    made["phase"][:500] = 1
    made["flags"][500] = 1
    made["cycle"][2000:] += 5
    path = tmp_path / "run.png"
    plot.draw(made, str(path), "a title", (0.1, 0.2, 0.3))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_plot_names_the_arms_own_maxima_which_know_the_lost_cycles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib import axes

    written: list[str] = []
    monkeypatch.setattr(axes.Axes, "text", lambda self, x, y, text, **how: written.append(text))
    made = records(3000)
    plot.draw(made, str(tmp_path / "run.png"), "", (0.111, 0.222, 0.333))
    assert [each.split()[-1] for each in written] == ["0.111", "0.222", "0.333"]
    written.clear()
    made["cycle"][2000:] += 5
    plot.draw(made, str(tmp_path / "run.png"), "", (0.111, 0.222, 0.333))
    assert all(each.endswith("gaps: lost cycles") for each in written)


def test_a_run_without_motion_has_no_plot(tmp_path: Path) -> None:
    with pytest.raises(plot.PlotError, match="no telemetry"):
        plot.draw(np.zeros(0, dtype=RECORD), str(tmp_path / "run.png"), "", (0, 0, 0))
