"""What a run shows while it goes on: a live panel on a terminal, a line a second anywhere else.

`update` is called at every tick by the main thread and draws at most eight times a second; `say`
may be called by any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel as Box
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rt_infer.robot.supervise import Snapshot

DRAW_EVERY_S = 0.125
LINE_EVERY_S = 1.0


class Panel:
    """The display of one run; a context manager."""

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._lock = threading.Lock()  # sentences may come from the uplink's thread
        self._live = (
            Live(console=console, auto_refresh=False, transient=True)
            if console.is_terminal
            else None
        )
        self._due_s = 0.0

    def __enter__(self) -> Panel:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, sentence: str) -> None:
        """Print a sentence above the panel."""
        with self._guarded():
            self._console.print(Text(sentence), soft_wrap=True)

    def update(self, snapshot: Snapshot) -> None:
        """Show the run as it is now, if it is time to."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + (LINE_EVERY_S if self._live is None else DRAW_EVERY_S)
        with self._guarded():
            if self._live is not None:
                self._live.update(self._draw(snapshot), refresh=True)
            else:
                self._console.print(Text(line(snapshot)), soft_wrap=True)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """One thread at a time; a display that is gone (`| head`) must not end the motion."""
        with self._lock, suppress(OSError):
            yield

    def _draw(self, now: Snapshot) -> RenderableType:
        facts = Table.grid(padding=(0, 2))
        facts.add_column(style="dim")
        facts.add_column(min_width=44)
        queued = max(now.state.steps_queued, 0.0) if now.state else 0.0
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=now.actions_per_chunk, completed=queued, width=30),
            f"{queued:4.0f} of {now.actions_per_chunk} steps",
        )
        facts.add_row("queue", bar)
        for name, value in _facts(now):
            facts.add_row(name, value)
        phase = _phase(now)
        return Box(
            Group(facts), title=self._title, subtitle=f"{phase}  {now.elapsed_s:.0f} s", width=76
        )


def line(now: Snapshot) -> str:
    """The run in one line of text."""
    queued = max(now.state.steps_queued, 0.0) if now.state else 0.0
    facts = "  ".join(f"{name} {value}" for name, value in _facts(now))
    return f"[{now.elapsed_s:5.1f} s] {_phase(now):<8}  queue {queued:3.0f}  {facts}"


def _facts(now: Snapshot) -> list[tuple[str, str]]:
    step = now.state.policy_step if now.state else 0.0
    stats = now.stats
    facts = [
        ("step", f"{step:.0f}"),
        (
            "latency",
            f"{now.timings.last_ms('total'):.0f} ms (model {now.timings.last_ms('infer'):.0f} ms)",
        ),
        (
            "jitter",
            f"p99 {stats.wake_late.percentile_us(99):.0f} µs, max {stats.wake_late.max_us:.0f} µs",
        ),
        ("link", f"{now.link_status}, {now.link.reconnects} reconnects"),
    ]
    if now.task is not None:
        facts.append(("targets", f"{now.task['reached']} reached of {now.task['targets']}"))
    return facts


def _phase(now: Snapshot) -> str:
    return "starting" if now.state is None else now.state.phase.name.lower()
