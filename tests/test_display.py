"""What a run shows, and that a terminal which takes nothing, or is gone, holds nobody up."""

from __future__ import annotations

import io
import os
import threading

import pytest

from rt_infer.report.display import Display
from rt_infer.report.panel import draw, line
from rt_infer.report.terminal import Terminal
from rt_infer.robot.region import CoreRegion
from rt_infer.robot.supervise import Snapshot
from rt_infer.robot.timings import LinkCounts, Timings


@pytest.fixture
def snapshot() -> Snapshot:
    with CoreRegion.create("display-test", fps=30.0) as region:
        stats = region.stats()
    return Snapshot(
        elapsed_s=3.0,
        state=None,
        stats=stats,
        timings=Timings(),
        link=LinkCounts("tcp", reconnects=2),
        link_status="connected",
        actions_per_chunk=50,
        task={"targets": 4, "reached": 3},
    )


class Paper(io.StringIO):
    """A file that says when something has been written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def flush(self) -> None:
        self.written.set()


def test_without_a_terminal_there_are_plain_lines(snapshot: Snapshot) -> None:
    paper = Paper()
    with Display(Terminal(file=paper), "title") as display:
        display.show(snapshot)
        display.say("A sentence with [brackets].")
        assert paper.written.wait(60)
    lines = paper.getvalue().splitlines()
    assert "A sentence with [brackets]." in lines
    for each in lines:
        if not each.startswith("A sentence"):
            assert each.startswith("[  3.0 s] starting")
            assert "connected, 2 reconnects" in each
            assert "3 reached, 1 missed" in each


def test_targets_are_not_spoken_of_before_the_first_is_decided(snapshot: Snapshot) -> None:
    assert "targets" in line(snapshot)
    assert "targets" not in line(snapshot._replace(task={"targets": 0, "reached": 0}))
    assert "targets" not in line(snapshot._replace(task=None))


def test_what_the_user_has_asked_for_is_shown_in_place_of_the_phase(snapshot: Snapshot) -> None:
    assert "] starting" in line(snapshot)
    assert "] PAUSED" in line(snapshot._replace(doing="PAUSED"))


def test_the_keys_are_told_where_they_are_heard(snapshot: Snapshot) -> None:
    assert "keys" not in panel(snapshot)
    assert "space pause, r reset, q stop" in panel(snapshot._replace(keys=True))
    assert "space go on" in panel(snapshot._replace(keys=True, doing="PAUSED"))


def panel(snapshot: Snapshot) -> str:
    paper = io.StringIO()
    Terminal(file=paper, width=100).print(draw(snapshot, "the title"))
    return paper.getvalue()


def test_on_a_terminal_there_is_a_panel(snapshot: Snapshot) -> None:
    paper = Paper()
    terminal = Terminal(file=paper, force_terminal=True, width=100)
    display = Display(terminal, "the title")
    display.show(snapshot)
    with display:
        assert paper.written.wait(60)
    assert "the title" in paper.getvalue()
    assert "queue" in paper.getvalue()


def test_a_snapshot_is_a_line_and_shown_once(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rt_infer.report.display.LINE_EVERY_S", 0.01)
    paper = Paper()
    display = Display(Terminal(file=paper), "title")
    display.show(snapshot)
    with display:
        for number in range(3):
            paper.written.clear()
            display.say(f"Sentence {number}.")
            assert paper.written.wait(60)
        other = snapshot._replace(elapsed_s=4.0)
        paper.written.clear()
        display.show(other)
        assert paper.written.wait(60)
    lines = [line for line in paper.getvalue().splitlines() if line.startswith("[")]
    assert [line[:9] for line in lines] == ["[  3.0 s]", "[  4.0 s]"]


def test_whatever_was_said_before_the_end_is_printed(snapshot: Snapshot) -> None:
    paper = Paper()
    with Display(Terminal(file=paper), "title") as display:
        for number in range(100):
            display.say(f"Sentence {number}.")
    assert [f"Sentence {number}." for number in range(100)] == paper.getvalue().splitlines()


def test_nobody_waits_for_a_terminal_that_takes_nothing(snapshot: Snapshot) -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as full, os.fdopen(read_end, "rb") as reader:
        os.set_blocking(write_end, False)
        try:
            while True:
                os.write(write_end, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(write_end, True)
        display = Display(Terminal(file=full), "title")
        display.show(snapshot)
        with display:
            for number in range(3000):  # the watchdog of the test run is what this could hang in
                display.show(snapshot._replace(elapsed_s=float(number)))
                display.say(f"Sentence {number}.")
            drained = threading.Thread(target=reader.read, daemon=True)
            drained.start()
        full.close()
        drained.join()


def test_a_reader_that_left_ends_the_output_and_nothing_else(snapshot: Snapshot) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as nobody:
        terminal = Terminal(file=nobody)
        display = Display(terminal, "title")
        display.show(snapshot)
        with display:
            display.say("Nobody reads this.")
        assert terminal.quiet
        terminal.print("Nor this.")


def test_a_full_disk_behind_the_output_is_no_error(snapshot: Snapshot) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        terminal = Terminal(file=full)
        with Display(terminal, "title") as display:
            display.say("There is no room for this.")
        assert terminal.quiet
