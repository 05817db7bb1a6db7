"""What a cycle of the control loop computes, in virtual time; see csrc/benches/stepper.cpp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import machine
import programs

ROUNDS = 15
CYCLES = 50_000

TABLES = {
    "stepper: state to command, 7 joints": {
        "ours: ring, step": "command",
        "a loop that does nothing": "bare command",
        "the clock, read twice": "clock",
    },
    "stepper: the whole step, with the planning after the write": {
        "ours: ring, step, plan": "whole",
        "a loop that does nothing": "bare whole",
        "the clock, read twice": "clock",
    },
}


def test_cycles_of_the_stepper(contest: Callable[..., Any]) -> None:
    rounds = programs.play("stepper", ROUNDS, CYCLES)
    where = machine.placement("one thread, virtual time, warm caches")
    for title, contenders in TABLES.items():
        table = contest(title, "µs", where)
        for played in rounds:
            for name, key in contenders.items():
                table.add(name, *programs.figures(played[key], programs.NS_TO_US))
        table.notes.append("nothing is subtracted: the clock's own cost is in every line")
    splices = contest("stepper: cycles that splice a chunk, with the planning", "µs", where)
    for played in rounds:
        splices.add(
            "ours: ring, step, plan", *programs.figures(played["splice"], programs.NS_TO_US)
        )
    splices.notes.append(
        "no allocation in any cycle; no reflex, no intervention of the limiter (the program ends"
        " otherwise)"
    )
