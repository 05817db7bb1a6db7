"""franka_sim's interpreter, the corpus with both verdicts, and a summary in the last lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from command_stream import ACCEPTED, Stream, Verdict
from corpus import shared_corpus
from judges import disagreements, franka_sim, sim_fr3

PYTHON = Path(__file__).parents[2] / ".venv-fci/bin/python"
_LINES: list[str] = []


@pytest.fixture(scope="session")
def fci_python() -> Path:
    """The interpreter of franka_sim's own environment."""
    if not PYTHON.exists():
        pytest.fail(f"{PYTHON} is missing: run scripts/make_fci_venv.sh .venv-fci")
    return PYTHON


@pytest.fixture(scope="session")
def tell() -> Callable[[str], None]:
    """For a line of figures at the end of the run, whether its tests pass or fail."""
    return _LINES.append


@pytest.fixture(scope="session")
def corpus() -> list[Stream]:
    return shared_corpus()


@pytest.fixture(scope="session")
def our_verdicts(corpus: list[Stream]) -> list[Verdict]:
    return sim_fr3(corpus)


@pytest.fixture(scope="session")
def their_verdicts(
    fci_python: Path,
    corpus: list[Stream],
    our_verdicts: list[Verdict],
    tell: Callable[[str], None],
) -> list[Verdict]:
    theirs = franka_sim(fci_python, corpus)
    good = sum(verdict.reflex == ACCEPTED for verdict in theirs)
    lossy = sum(bool(stream.lost) for stream in corpus)
    differ = len(disagreements(corpus, our_verdicts, theirs))
    tell(
        f"corpus: {len(corpus)} streams, {sum(v.cycles for v in theirs)} cycles judged; "
        f"{good} accepted, {len(corpus) - good} stopped; "
        f"{lossy} with lost packets; verdicts that differ: {differ}"
    )
    return theirs


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in _LINES:
        terminalreporter.write_line(line)
