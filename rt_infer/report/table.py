"""The report as a table for people, printed when a run is over."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

# Above the first a ratio is worth a look, above the second the arm would have refused.
CLOSE_RATIO, LIMIT_RATIO = 0.95, 1.0


def print_table(report: dict[str, Any], console: Console) -> None:
    """Print what matters of a report, section by section."""
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_column(justify="left")
    for section, rows in _sections(report):
        for number, (name, value) in enumerate(rows):
            table.add_row(section if number == 0 else "", name, value)
        table.add_section()
    console.print(table)


def _sections(report: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    steps, chunks, loop = report["steps"], report["chunks"], report["loop"]
    motion, link, latency = report["motion"], report["link"], report["latency_ms"]
    run = [("outcome", _outcome(report)), ("duration", f"{report['duration_s']:.1f} s")]
    if report["task"] is not None and report["task"]["targets"]:
        task = report["task"]
        run.append(("task", f"{task['reached']} of {task['targets']} targets reached"))
    scheduling = loop["scheduling"]
    return [
        ("run", run),
        (
            "actions",
            [
                ("steps executed", f"{steps['executed']}"),
                ("holds", f"{steps['holds']} times the actions ran out"),
                ("at rest", f"{steps['held_s']:.2f} s after the first chunk"),
                *_asked_for(steps),
                ("chunks", f"{chunks['received']} received, {_refused(chunks)}"),
                *_errors(chunks),
                ("late steps", f"{chunks['late_steps']}"),
                *_gripper(report["tools"]),
            ],
        ),
        (
            "latency",
            [
                (stage, f"p50 {v['p50']:6.1f}  p99 {v['p99']:6.1f}  max {v['max']:6.1f} ms")
                for stage, v in latency.items()
            ],
        ),
        (
            "loop",
            [
                ("cycles", f"{loop['cycles']} ({loop['late_cycles']} late)"),
                ("period", _microseconds(loop["period_us"])),
                ("jitter", _microseconds(loop["wake_late_us"])),
                ("response", _microseconds(loop["response_us"])),
                (
                    "scheduling",
                    f"{scheduling['policy']} {scheduling['priority']}, memory "
                    + ("locked" if scheduling["memory_locked"] else "not locked"),
                ),
            ],
        ),
        (
            "motion",
            [
                ("velocity / limit", _ratio(motion["velocity_ratio_max"])),
                ("acceleration / limit", _ratio(motion["acceleration_ratio_max"])),
                ("jerk / limit", _ratio(motion["jerk_ratio_max"])),
                ("RMS jerk", f"{motion['jerk_rms_rad_s3']:.1f} rad/s³"),
                ("jump at a splice", f"at most {motion['splice_jump_max_rad'] * 1e3:.1f} mrad"),
                ("from the policy", f"RMS {motion['policy_distance_rms_rad'] * 1e3:.1f} mrad"),
                ("lost to slowing", f"{motion['lost_to_slowing_s']:.2f} s"),
                ("limiter interventions", f"{motion['limiter_interventions']}"),
                ("reflexes", ", ".join(motion["reflexes"]) or "none"),
            ],
        ),
        (
            "link",
            [
                ("transport", f"{link['transport']}, {link['reconnects']} reconnects"),
                (
                    "volume",
                    f"{link['bytes_sent'] / 1e6:.1f} MB sent, "
                    f"{link['bytes_received'] / 1e6:.2f} MB received",
                ),
            ],
        ),
    ]


def _outcome(report: dict[str, Any]) -> str:
    colours = {"finished": "green", "stopped": "yellow", "refused": "red", "fault": "red"}
    return f"[{colours[report['outcome']]}]{report['outcome']}[/]"


def _refused(chunks: dict[str, Any]) -> str:
    """How many were refused, and why; refusals of both sides for one reason are one number."""
    reasons: dict[str, int] = {}
    for part in ("refused_by_core", "refused_before_core"):
        for reason, count in chunks[part].items():
            reasons[reason] = reasons.get(reason, 0) + count
    why = ", ".join(f"{reason} {count}" for reason, count in reasons.items() if count)
    return f"{chunks['refused']} refused" + (f" ({why})" if why else "")


def _asked_for(steps: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows about what the user did meanwhile, and the moves to the start, if there were any."""
    rows = []
    if steps["pauses"]:
        rows.append(("pauses", f"{steps['pauses']}, {steps['paused_s']:.1f} s"))
    if steps["resets"]:
        rows.append(("resets", f"{steps['resets']}"))
    if steps["start_moves"]:
        rows.append(("moves to the start", f"{steps['start_moves']}"))
    return rows


def _gripper(tools: dict[str, dict[str, int]]) -> list[tuple[str, str]]:
    """A row about what the gripper did, if there is one."""
    if "gripper" not in tools:
        return []
    did = tools["gripper"]
    return [("gripper", f"{did['commands']} commands, {did['grasps']} grasps")]


def _errors(chunks: dict[str, Any]) -> list[tuple[str, str]]:
    """A row about the policy's errors, if there were any."""
    kinds = ", ".join(f"{name} {count}" for name, count in chunks["errors"].items())
    return [("policy errors", f"{sum(chunks['errors'].values())} ({kinds})")] if kinds else []


def _ratio(value: float) -> str:
    colour = "green" if value <= CLOSE_RATIO else "yellow" if value <= LIMIT_RATIO else "red"
    return f"[{colour}]{value:.3f}[/]"


def _microseconds(v: dict[str, float]) -> str:
    return f"p50 {v['p50']:6.1f}  p99 {v['p99']:6.1f}  max {v['max']:6.1f} µs"
