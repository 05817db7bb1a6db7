"""What the server counts, and how Prometheus is told. Any thread may call anything here.

Counters only rise. A stage's times are kept as count and sum since the start, and the newest few
hundred of them for the quantiles, so that a scrape shows the present and not the whole history.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping

STAGES = ("queue", "prepare", "infer", "finish", "total")
"""The stages of one answer inside the server, in order; `total` is from arrival to departure."""

WINDOW = 512
"""How many of the newest times make up a quantile."""

QUANTILES = (0.5, 0.9, 0.99)

_HELP = {
    "connections_total": "Connections accepted, by what they turned out to be.",
    "sessions_total": "Robots welcomed.",
    "observations_total": "Observations received completely.",
    "chunks_total": "Chunks sent to robots.",
    "superseded_total": "Observations answered as superseded by a newer one.",
    "errors_total": "Errors sent to robots, by code.",
    "refused_total": "Connections closed without a session, by reason.",
    "dropped_answers_total": "Answers of a worker that no robot waited for any more.",
    "worker_starts_total": "Worker processes started.",
    "worker_deaths_total": "Worker processes that ended without being asked to.",
}


_GAUGES = {
    "connections": "Connections open now, of any kind.",
    "robots": "Robots that have a session or wait for one.",
    "workers": "Worker processes, one for each policy that was asked for.",
    "workers_ready": "Workers whose policy is loaded.",
}


class _Stage:
    def __init__(self) -> None:
        self.count = 0
        self.sum_s = 0.0
        self.newest: deque[float] = deque(maxlen=WINDOW)

    def quantile(self, q: float) -> float:
        ordered = sorted(self.newest)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


class Metrics:
    """The server's counters and stage times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._stages = {name: _Stage() for name in STAGES}

    def count(self, name: str, label: str = "") -> None:
        """Add one to counter `name`; `label` is e.g. `code="busy"` and must be given by us."""
        with self._lock:
            self._counts[name, label] += 1

    def get(self, name: str, label: str | None = None) -> int:
        """The counter's value; without a label the sum over all its labels."""
        with self._lock:
            if label is not None:
                return self._counts[name, label]
            return sum(n for (key, _), n in self._counts.items() if key == name)

    def observe_stages(self, seconds: Mapping[str, float]) -> None:
        """Add the times of one answer, in seconds, by stage name."""
        with self._lock:
            for name, value in seconds.items():
                stage = self._stages[name]
                stage.count += 1
                stage.sum_s += value
                stage.newest.append(value)

    def render(self, gauges: Mapping[str, int]) -> str:
        """Everything in Prometheus' text format; `gauges` are values read at this moment."""
        with self._lock:
            counts = dict(self._counts)
            stages = {
                name: (s.count, s.sum_s, [(q, s.quantile(q)) for q in QUANTILES if s.count])
                for name, s in self._stages.items()
            }
        lines: list[str] = []
        for name, text in _HELP.items():
            lines += [f"# HELP rt_infer_{name} {text}", f"# TYPE rt_infer_{name} counter"]
            samples = sorted((label, n) for (key, label), n in counts.items() if key == name)
            for label, n in samples or [("", 0)]:
                lines.append(f"rt_infer_{name}{f'{{{label}}}' if label else ''} {n}")
        for name, value in gauges.items():
            lines += [f"# HELP rt_infer_{name} {_GAUGES[name]}"]
            lines += [f"# TYPE rt_infer_{name} gauge", f"rt_infer_{name} {value}"]
        lines += [
            "# HELP rt_infer_stage_seconds Time an answer spent in each stage of the server.",
            "# TYPE rt_infer_stage_seconds summary",
        ]
        for name, (times, total, quantiles) in stages.items():
            for q, seconds in quantiles:
                which = f'stage="{name}",quantile="{q}"'
                lines.append(f"rt_infer_stage_seconds{{{which}}} {seconds:.9f}")
            lines.append(f'rt_infer_stage_seconds_sum{{stage="{name}"}} {total:.9f}')
            lines.append(f'rt_infer_stage_seconds_count{{stage="{name}"}} {times}')
        return "\n".join(lines) + "\n"
