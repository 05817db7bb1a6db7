"""Collects the contests of a run; prints them at its end and writes results/latest.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import machine
import pytest
from contest import Contest

RESULTS = Path(__file__).parent / "results" / "latest.json"

_CONTESTS = pytest.StashKey[list[Contest]]()
_PAGES = pytest.StashKey[list[list[str]]]()
_MACHINE = pytest.StashKey[dict[str, Any]]()


@pytest.hookimpl(tryfirst=True)  # before pytest-benchmark reads its options
def pytest_configure(config: pytest.Config) -> None:
    config.option.benchmark_quiet = True  # its table has no rivals; its files are as usual
    config.stash[_CONTESTS] = []
    config.stash[_PAGES] = []
    config.stash[_MACHINE] = machine.describe()


@pytest.fixture
def contest(request: pytest.FixtureRequest) -> Callable[..., Contest]:
    """Opens a Contest (its arguments) that is printed at the end, as far as it got."""
    config = request.config

    def begin(*args: Any, **more: Any) -> Contest:
        contest = Contest(*args, **more)
        config.stash[_CONTESTS].append(contest)
        return contest

    return begin


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Callable[[list[str]], None]:
    """Takes the lines of a table that is no contest; it is printed at the end."""
    return request.config.stash[_PAGES].append


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for lines in config.stash[_PAGES]:
        terminalreporter.section("benches")
        for line in lines:
            terminalreporter.line(line)
    played = [contest for contest in config.stash[_CONTESTS] if contest.rounds]
    contests = [contest for contest in played if all(contest.rounds.values())]
    if not contests:
        return
    terminalreporter.section("benches")
    for line in machine.sentences(config.stash[_MACHINE]):
        terminalreporter.line(line)
    terminalreporter.line(
        "Each figure is the median over the rounds, which the contenders play in turn; low and high"
        " are the key figure's lowest and highest round; ratio is ours over the rival's, round by"
        " round."
    )
    for contest in contests:
        terminalreporter.line("")
        for line in _table(contest):
            terminalreporter.line(line)
    RESULTS.parent.mkdir(exist_ok=True)
    results = {
        "schema": "rt-infer.benches/1",
        "machine": config.stash[_MACHINE],
        "contests": [contest.summary() for contest in contests],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def _table(contest: Contest) -> list[str]:
    figures = list(contest.rounds[contest.ours][0])
    width = max(len(name) for name in [*contest.rounds, *contest.skipped])
    columns = "".join(f"{name:>10}" for name in [*figures, "low", "high"])
    rounds = len(contest.rounds[contest.ours])
    lines = [
        f"{contest.title} [{contest.unit}], {rounds} rounds, key {contest.key}",
        f"  {contest.placement}",
        f"  {'':{width}}{columns}{'n':>10}{'ratio':>8}{'bar':>8}",
    ]
    for name in contest.rounds:
        values = [*(contest.figure(name, figure) for figure in figures), *contest.spread(name)]
        line = f"  {name:{width}}" + "".join(f"{_rounded(value):>10}" for value in values)
        line += f"{contest.counts[name]:>10}"
        if name != contest.ours:
            line += f"{contest.ratio(name):>8.2f}"
        if name in contest.bars:
            met = contest.ratio(name) <= contest.bars[name]
            line += f"  ≤ {contest.bars[name]:.3g} {'met' if met else 'MISSED'}"
        lines.append(line)
    lines += [f"  {name:{width}}  skipped: {why}" for name, why in contest.skipped.items()]
    return lines + [f"  {note}" for note in contest.notes]


def _rounded(value: float) -> str:
    """Three or four digits that mean something."""
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}" if value >= 1 else f"{value:.3f}"
