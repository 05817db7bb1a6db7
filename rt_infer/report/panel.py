"""What a run looks like while it goes on: as a panel for a terminal, as a line of text elsewhere.

Pure: a snapshot in, something to print out.
"""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table

from rt_infer.robot.supervise import Snapshot


def draw(now: Snapshot, title: str) -> RenderableType:
    """The run as a panel."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(min_width=44)
    queued = _queued(now)
    bar = Table.grid(padding=(0, 1))
    bar.add_row(
        ProgressBar(total=now.actions_per_chunk, completed=queued, width=30),
        f"{queued:4.0f} of {now.actions_per_chunk} steps",
    )
    facts.add_row("queued", bar)  # "queue" is the report's word for waiting at the server
    for name, value in _facts(now):
        facts.add_row(name, value)
    if now.keys:
        facts.add_row("keys", _keys(now))
    subtitle = f"{_phase(now)}  {now.elapsed_s:.0f} s"
    return Panel(Group(facts), title=title, subtitle=subtitle, width=76)


def line(now: Snapshot) -> str:
    """The run in one line of text."""
    facts = "  ".join(f"{name} {value}" for name, value in _facts(now))
    return f"[{now.elapsed_s:5.1f} s] {_phase(now):<8}  queued {_queued(now):3.0f}  {facts}"


def _facts(now: Snapshot) -> list[tuple[str, str]]:
    step = now.state.policy_step if now.state else 0.0
    stats = now.stats
    facts = [
        ("step", f"{step:.0f}"),
        (
            "latency",
            f"{now.timings.answer_ms:.0f} ms (model {now.timings.last_ms('infer'):.0f} ms)",
        ),
        (
            "jitter",
            f"p99 {stats.wake_late.percentile_us(99):.0f} µs, max {stats.wake_late.max_us:.0f} µs",
        ),
        ("link", f"{now.link_status}, {now.link.reconnects} reconnects"),
    ]
    if now.task is not None and now.task["targets"]:
        reached = now.task["reached"]
        facts.append(("targets", f"{reached} reached, {now.task['targets'] - reached} missed"))
    return facts


def _queued(now: Snapshot) -> float:
    return max(now.state.steps_queued, 0.0) if now.state else 0.0


def _keys(now: Snapshot) -> str:
    pause = "go on" if now.doing == "PAUSED" else "pause"
    return f"space {pause}, r reset, q stop"


def _phase(now: Snapshot) -> str:
    if now.doing is not None:
        return now.doing
    return "starting" if now.state is None else now.state.phase.name.lower()
