"""The run report, `rt-infer.run/1`: the JSON of docs/architecture.md's contract, complete.

Every key is there in every report; later versions may add keys and remove none. Times are in the
unit that the key names. Ratios are commanded value over the arm's limit, worst joint and cycle, as
the arm itself counted them: above 1 it would have refused. Loop and motion come from the core's own
statistics, so that they are whole whatever the telemetry ring has lost.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from rt_infer.actions.convert import ActionCounts
from rt_infer.config import RunConfig
from rt_infer.robot.result import RunResult
from rt_infer.robot.statistics import Histogram, RunStatistics
from rt_infer.robot.timings import STAGES

SCHEMA = "rt-infer.run/1"


def build(config: RunConfig, result: RunResult) -> dict[str, Any]:
    """The report of a run as plain values, ready for JSON."""
    stats = result.stats
    early = {verdict.value: count for verdict, count in sorted(result.refused.items(), key=str)}
    return {
        "schema": SCHEMA,
        "outcome": result.outcome,
        "fault": result.ending.sentence if result.outcome == "fault" else None,
        "exit_code": result.ending.exit_code,
        "ending": result.ending.sentence,
        "robot": {"type": _robot_type(config), "id": config.robot.id},
        "policy": {"type": config.policy_type, "path": config.pretrained_name_or_path},
        "duration_s": round(result.duration_s, 3),
        "steps": {
            "executed": int(stats.steps_executed),
            "holds": stats.holds,
            "held_s": stats.held_ns / 1e9,
            "slowed_s": stats.slowed_ns / 1e9,
            "pauses": result.wishes.pauses,
            "paused_s": round(result.wishes.paused_s, 3),
            "resets": result.wishes.resets,
            "start_moves": result.start_moves,
        },
        "chunks": {
            "received": result.link.chunks_received,
            "refused": sum(stats.refused.values()) + sum(early.values()),
            "refused_by_core": stats.refused,
            "refused_before_core": early,
            "late_steps": stats.late_steps,
            "errors": result.errors,
            "last_error": result.errors_told,
        },
        "latency_ms": _latency_ms(result),
        "loop": _loop(stats),
        "motion": _motion(stats) | _actions(result.actions),
        "link": {
            "transport": result.link.transport,
            "reconnects": result.link.reconnects,
            "bytes_sent": result.link.bytes_sent,
            "bytes_received": result.link.bytes_received,
        },
        "tools": result.tools,
        "telemetry_lost": result.telemetry_lost,
        "recording": None if result.recording is None else result.recording._asdict(),
        "task": result.task,
    }


def write(report: dict[str, Any], path: str) -> None:
    """Write the report to `path` in one step: a reader sees all of it or the old one. OSError."""
    temporary = Path(f"{path}.{os.getpid()}.part")
    try:
        temporary.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _latency_ms(result: RunResult) -> dict[str, dict[str, float]]:
    stages = {stage: _rounded(result.timings.summary(stage)) for stage in STAGES}
    splice = result.stats.splice
    stages["splice"] = _rounded(
        {
            "p50": splice.percentile_us(50) / 1e3,
            "p99": splice.percentile_us(99) / 1e3,
            "max": splice.max_us / 1e3,
        }
    )
    return {stage: stages[stage] for stage in (*STAGES[:-1], "splice", "total")}


def _loop(stats: RunStatistics) -> dict[str, Any]:
    return {
        "cycles": stats.cycles,
        "period_us": _percentiles_us(stats.period),
        "wake_late_us": _percentiles_us(stats.wake_late),
        "response_us": _percentiles_us(stats.response),
        "late_cycles": stats.late_cycles,
        "minor_faults": stats.minor_faults,
        "major_faults": stats.major_faults,
        "scheduling": {
            "policy": stats.scheduling_policy,
            "priority": stats.scheduling_priority,
            "cpu": stats.cpu,
            "memory_locked": stats.memory_locked,
        },
    }


def _motion(stats: RunStatistics) -> dict[str, Any]:
    followed = max(stats.followed_cycles, 1)
    return {
        "velocity_ratio_max": stats.velocity_ratio_max,
        "acceleration_ratio_max": stats.acceleration_ratio_max,
        "jerk_ratio_max": stats.jerk_ratio_max,
        "jerk_rms_rad_s3": math.sqrt(stats.jerk_squared_sum / followed),
        "splice_jump_max_rad": stats.splice_jump_max_rad,
        "policy_distance_rms_rad": math.sqrt(stats.policy_distance_squared_sum / followed),
        "bends": stats.bridges_lengthened + stats.splices_delayed,
        "lost_to_slowing_s": stats.lost_to_slowing_s,
        "fence_stops": stats.fence_stops,
        "limiter_interventions": stats.limiter_interventions,
        "reflexes": [reflex.name for reflex in stats.reflexes],
        "splices": stats.splices,
        "splices_delayed": stats.splices_delayed,
        "bridges_lengthened": stats.bridges_lengthened,
        "waypoints_clamped": stats.waypoints_clamped,
        "reseeds": stats.reseeds,
    }


def _actions(counts: ActionCounts) -> dict[str, int]:
    return {"actions_unreachable": counts.unreachable, "actions_boxed": counts.boxed}


def _percentiles_us(histogram: Histogram) -> dict[str, float]:
    return _rounded(
        {
            "p50": histogram.percentile_us(50),
            "p99": histogram.percentile_us(99),
            "p99_9": histogram.percentile_us(99.9),
            "max": histogram.max_us,
        }
    )


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _robot_type(config: RunConfig) -> str:
    return str(type(config.robot).get_choice_name(type(config.robot)))
