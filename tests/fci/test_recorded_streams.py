"""What the core sends under hostile chunks: franka_sim finds no violation in a million cycles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_stream import ACCEPTED, Stream, Verdict
from hostile_chunks import record, travelled_rad
from judges import describe, franka_sim, sim_fr3

pytestmark = [pytest.mark.fci, pytest.mark.timeout(300)]

RUNS = 250
CYCLES = 4000

Recorded = list[tuple[Stream, dict[str, Any]]]


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return [record(seed, CYCLES) for seed in range(RUNS)]


def violations(streams: list[Stream], verdicts: list[Verdict]) -> list[str]:
    return [
        f"{stream.name}: {describe(verdict)}"
        for stream, verdict in zip(streams, verdicts, strict=True)
        if verdict.reflex != ACCEPTED
    ]


def test_the_recorded_streams_are_hostile(recorded: Recorded) -> None:
    streams = [stream for stream, _ in recorded]
    assert sum(stream.cycles for stream in streams) >= 1_000_000
    assert sum(count for stream in streams for _, count in stream.lost) >= 20_000
    assert sum(travelled_rad(stream) > 0.1 for stream in streams) > 0.8 * len(streams)
    for event in ("chunks_admitted", "limiter_interventions", "reseeds", "holds", "late_steps"):
        assert sum(run["counts"][event] for _, run in recorded) > 40, event
    for ratio in ("velocity_ratio_max", "acceleration_ratio_max", "jerk_ratio_max"):
        assert max(run[ratio] for _, run in recorded) > 0.9, ratio


def test_no_recorded_run_ends_by_a_reflex(recorded: Recorded) -> None:
    ended = {stream.name: run["reflex"] for stream, run in recorded if run["reflex"] is not None}
    assert ended == {}
    assert {len(stream.commands) for stream, _ in recorded} == {CYCLES}


def test_franka_sim_finds_no_violation_in_a_million_recorded_cycles(
    fci_python: Path, recorded: Recorded, tell: Callable[[str], None]
) -> None:
    streams = [stream for stream, _ in recorded]
    verdicts = franka_sim(fci_python, streams)
    found = violations(streams, verdicts)
    tell(
        f"recorded: {len(streams)} hostile runs, {sum(v.cycles for v in verdicts)} cycles, "
        f"{sum(count for s in streams for _, count in s.lost)} of them lost; "
        f"violations by franka_sim's checker: {len(found)}"
    )
    assert found == []
    assert [v.cycles for v in verdicts] == [stream.cycles for stream in streams]


def test_a_recorded_stream_played_back_gets_the_verdict_it_got_when_recorded(
    recorded: Recorded,
) -> None:
    assert violations([s for s, _ in recorded], sim_fr3([s for s, _ in recorded])) == []


@pytest.mark.parametrize("plant", ["acceleration=0.9", "jerk=0.9", "velocity=0.9"])
def test_a_stricter_arm_finds_violations_in_the_same_streams(
    fci_python: Path, recorded: Recorded, plant: str
) -> None:
    streams = [stream for stream, _ in recorded[:20]]
    assert violations(streams, franka_sim(fci_python, streams, plant=plant)) != []


def test_a_single_step_planted_into_a_recorded_stream_is_found_at_its_cycle(
    fci_python: Path, recorded: Recorded
) -> None:
    stream = next(s for s, _ in recorded if s.lost)
    commands = stream.commands.copy()
    at = stream.lost[-1][0] + 100
    commands[at, 3] += np.copysign(2e-5, -1.0)
    planted = Stream("planted", stream.start_pose_rad, commands, stream.lost)
    failing = at + sum(count for command, count in stream.lost if command <= at)
    for verdict in (*sim_fr3([planted]), *franka_sim(fci_python, [planted])):
        assert verdict.cycles == failing, describe(verdict)
