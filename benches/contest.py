"""Rivals side by side: rounds in turn, medians over the rounds, a ratio taken round by round.

A machine that is shared drifts between one second and the next. So every contender plays a short
round, then the next one does, and so on; a ratio is taken within each round and its median over all
of them is what is reported. No figure is compared with one of another run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Figures = Mapping[str, float]
"""What one round of one contender gave: "p50", "p99", …, all in the contest's unit."""


@dataclass
class Contest:
    """One table: ours is the contender that plays first; times, so the smaller is the better.

    unit: of every figure. key: the figure whose ratio and spread are shown. bars: the greatest
    ratio of ours to a rival that the design asks for, by the rival's name.
    """

    title: str
    unit: str
    placement: str
    key: str = "p50"
    bars: Mapping[str, float] = field(default_factory=dict)
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, contender: str, figures: Figures, count: int) -> None:
        """One round of `contender`, from `count` samples."""
        self.rounds.setdefault(contender, []).append(figures)
        self.counts[contender] = self.counts.get(contender, 0) + count

    def skip(self, contender: str, why: str) -> None:
        """A rival that is not on this machine; its line says so."""
        self.skipped[contender] = why

    @property
    def ours(self) -> str:
        return next(iter(self.rounds))

    def figure(self, contender: str, name: str) -> float:
        """The median over the rounds."""
        return statistics.median(figures[name] for figures in self.rounds[contender])

    def spread(self, contender: str) -> tuple[float, float]:
        """The key's lowest and highest value among the rounds."""
        values = [figures[self.key] for figures in self.rounds[contender]]
        return min(values), max(values)

    def ratio(self, rival: str) -> float:
        """Ours over the rival's, in the median round."""
        pairs = zip(self.rounds[self.ours], self.rounds[rival], strict=False)
        return statistics.median(ours[self.key] / its[self.key] for ours, its in pairs)

    def summary(self) -> dict[str, Any]:
        """All of it for a file."""
        return {
            "title": self.title,
            "unit": self.unit,
            "placement": self.placement,
            "key": self.key,
            "notes": self.notes,
            "skipped": self.skipped,
            "contenders": [
                {
                    "name": name,
                    "samples": self.counts[name],
                    "rounds": len(rounds),
                    "median": {figure: self.figure(name, figure) for figure in rounds[0]},
                    "spread": self.spread(name),
                    "ratio": None if name == self.ours else self.ratio(name),
                    "bar": self.bars.get(name),
                }
                for name, rounds in self.rounds.items()
            ],
        }


def percentiles(samples: Sequence[float], percents: Iterable[float] = (50, 99)) -> Figures:
    """Figures named "p50", "p99" …; inverted CDF, so each is a sample that occurred."""
    percents = tuple(percents)
    values = np.percentile(samples, percents, method="inverted_cdf")
    return {f"p{percent:g}": float(value) for percent, value in zip(percents, values, strict=True)}


def sampled(
    operation: Callable[[], object], samples: int, calls: int = 1, warm_up: int = 5
) -> list[float]:
    """Times of `operation` in µs: `samples` of them, each the mean over `calls` calls in a row.

    More than one call a sample where one is too short for the clock. The first `warm_up` calls
    bring back what the contender before pushed out of the caches, and are not counted.
    """
    for _ in range(warm_up):
        operation()
    times_us = []
    repeat = range(calls)
    for _ in range(samples):
        begin_ns = time.perf_counter_ns()
        for _ in repeat:
            operation()
        times_us.append((time.perf_counter_ns() - begin_ns) / calls * 1e-3)
    return times_us


def play(
    benchmark: Any,
    contest: Contest,
    contenders: Mapping[str, Callable[[], Sequence[float]]],
    rounds: int,
) -> None:
    """Play all contenders, ours first in the mapping; each call gives one round's samples.

    `benchmark` is pytest-benchmark's fixture: it times our rounds as a whole, for those who keep
    its files to compare runs with, and carries the contest's summary with them.
    """
    ours, *rivals = contenders
    for warm_up in contenders.values():
        warm_up()

    def one(contender: str) -> None:
        samples = contenders[contender]()
        contest.add(contender, percentiles(samples), len(samples))

    def the_rivals() -> None:
        for rival in rivals:
            one(rival)

    contest.rounds[ours] = []  # first in the table
    benchmark.pedantic(one, args=(ours,), setup=the_rivals, rounds=rounds, iterations=1)
    benchmark.extra_info.update(contest.summary())
