"""What a cycle of the control loop computes, in virtual time; see csrc/benches/stepper.cpp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import machine
import programs

ROUNDS = 15
CYCLES = 20_000

SETTINGS = [f"{fps} fps{box}" for fps in (30, 10, 50) for box in ("", " in a box")]
RIVALS = {"a loop that does nothing": "bare {}", "the clock, read twice": "clock"}
TABLES = {
    "response": "stepper: state to command, 7 joints (to be p50 ≤ 4)",
    "whole": "stepper: the whole step, with the planning (to be p50 ≤ 15, p99.9 ≤ 60)",
}


def test_cycles_of_the_stepper(contest: Callable[..., Any]) -> None:
    rounds = programs.play("stepper", ROUNDS, CYCLES)
    where = machine.placement("one thread, virtual time, warm caches")
    for part, title in TABLES.items():
        contenders = {setting: f"{part}, {setting}" for setting in SETTINGS}
        contenders |= {rival: key.format(part) for rival, key in RIVALS.items()}
        _fill(contest(title, "µs", where), contenders, rounds).notes.append(
            "nothing is subtracted: the clock's own cost is in every line"
        )
    splices = contest("stepper: the whole step, of cycles that splice a chunk", "µs", where)
    _fill(splices, {setting: f"splice, {setting}" for setting in SETTINGS}, rounds).notes.append(
        "chunks of 50, as smoothed as it ships; no allocation in any cycle, no reflex, nothing of"
        " the limiter or the fence (the program ends otherwise)"
    )


def _fill(table: Any, contenders: dict[str, str], rounds: list[programs.Round]) -> Any:
    for played in rounds:
        for name, key in contenders.items():
            table.add(name, *programs.figures(played[key], programs.NS_TO_US))
    return table
