"""The report's keys and numbers, and its table."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rt_infer.config import RunConfig
from rt_infer.report import report
from rt_infer.report.table import print_table
from rt_infer.robot.chunks import Verdict
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
        "jerk_rms_rad_s3": 0.0,
        "splice_jump_max_rad": 0.0,
        "policy_distance_rms_rad": 0.0,
        "bends": 0,
        "lost_to_slowing_s": 0.0,
        "fence_stops": 0,
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


def test_measures_of_beauty_are_means_over_the_followed_cycles(stats: RunStatistics) -> None:
    moved = replace(
        stats,
        cycles=9000,
        followed_cycles=400,
        jerk_squared_sum=400 * 25.0,
        policy_distance_squared_sum=400 * 4e-6,
        splice_jump_max_rad=0.02,
        bridges_lengthened=2,
        splices_delayed=3,
        lost_to_slowing_s=0.25,
    )
    motion = report.build(config(), result(moved))["motion"]
    assert motion["jerk_rms_rad_s3"] == pytest.approx(5.0)
    assert motion["policy_distance_rms_rad"] == pytest.approx(2e-3)
    assert (motion["splice_jump_max_rad"], motion["bends"]) == (0.02, 5)
    assert motion["lost_to_slowing_s"] == 0.25


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


def test_a_gripper_has_its_row_and_its_counts(stats: RunStatistics) -> None:
    built = report.build(config(), result(stats))
    assert built["tools"] == {}
    assert "gripper" not in table(built)
    gripped = result(stats)
    gripped.tools = {"gripper": {"commands": 12, "grasps": 3}}
    built = report.build(config(), gripped)
    assert built["tools"]["gripper"] == {"commands": 12, "grasps": 3}
    assert "12 commands, 3 grasps" in table(built)


def test_what_the_user_asked_for_is_told_and_nothing_of_what_nobody_asked_for(
    stats: RunStatistics,
) -> None:
    over = result(stats)
    assert "pauses" not in table(report.build(config(), over))
    over.wishes.toggle_pause()
    over.wishes.told(True, 1.0)
    over.wishes.told(True, 3.5)
    over.wishes.ask_reset()
    with over.wishes.carrying_out_a_reset():
        pass
    over.start_moves = 2
    built = report.build(config(), over)
    steps = built["steps"]
    assert (steps["pauses"], steps["paused_s"]) == (1, 2.5)
    assert (steps["resets"], steps["start_moves"]) == (1, 2)
    rows = [line.split() for line in table(built).splitlines()]
    assert ["pauses", "1,", "2.5", "s"] in rows
    assert ["moves", "to", "the", "start", "2"] in rows
