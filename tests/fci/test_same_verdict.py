"""The simulated FR3 and franka_sim give the same verdict and the same first failing cycle."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from command_stream import (
    ACCELERATION,
    ACCEPTED,
    JERK,
    LOST,
    NOT_FINITE,
    POSITION,
    START,
    VELOCITY,
    Stream,
    Verdict,
)
from corpus import first_steps, shared_corpus
from judges import disagreements, franka_sim, sim_fr3

pytestmark = pytest.mark.fci

REFLEXES = {ACCELERATION, JERK, LOST, NOT_FINITE, POSITION, START, VELOCITY}


def test_the_corpus_is_large_half_good_and_full_of_lost_packets(
    corpus: list[Stream], our_verdicts: list[Verdict]
) -> None:
    assert len(corpus) >= 500
    assert len({stream.name for stream in corpus}) == len(corpus)
    reflexes = Counter(verdict.reflex for verdict in our_verdicts)
    assert set(reflexes) == REFLEXES | {ACCEPTED}
    assert all(count >= 10 for count in reflexes.values())
    assert 0.4 < reflexes[ACCEPTED] / len(corpus) < 0.6
    gaps = {count for stream in corpus for _, count in stream.lost}
    assert gaps >= set(range(1, 26))


def test_the_corpus_is_the_same_each_time_it_is_made(corpus: list[Stream]) -> None:
    again = shared_corpus()
    assert [stream.name for stream in again] == [stream.name for stream in corpus]
    for one, other in zip(again, corpus, strict=True):
        np.testing.assert_array_equal(one.commands, other.commands)
        assert one.lost == other.lost


def test_streams_begin_with_q_d_or_are_refused_at_once(corpus: list[Stream]) -> None:
    for stream in corpus:
        if not np.array_equal(stream.commands[0], stream.start_pose_rad):
            assert stream.expected in (START, NOT_FINITE), stream.name


def test_both_judges_stop_the_same_streams_at_the_same_cycle_for_the_same_reason(
    corpus: list[Stream], our_verdicts: list[Verdict], their_verdicts: list[Verdict]
) -> None:
    assert disagreements(corpus, our_verdicts, their_verdicts) == []


def test_the_verdict_is_the_one_that_the_stream_was_built_for(
    corpus: list[Stream], our_verdicts: list[Verdict], their_verdicts: list[Verdict]
) -> None:
    for stream, ours, theirs in zip(corpus, our_verdicts, their_verdicts, strict=True):
        if stream.expected is not None:
            assert (ours.reflex, theirs.reflex) == (stream.expected, stream.expected), stream.name


def test_a_first_command_beside_q_d_is_a_step_to_us_and_a_new_rest_to_franka_sim(
    fci_python: Path,
) -> None:
    streams = first_steps()
    assert [verdict.reflex for verdict in sim_fr3(streams)] == [s.expected for s in streams]
    theirs = franka_sim(fci_python, streams)
    assert [verdict.reflex for verdict in theirs] == [ACCEPTED] * len(streams)


@pytest.mark.parametrize(
    ("plant", "family"),
    [
        ("acceleration=1.01", "acceleration"),
        ("acceleration=0.99", "acceleration"),
        ("jerk=1.01", "jerk"),
        ("jerk=0.99", "jerk"),
        ("velocity=1.01", "velocity"),
        ("velocity=0.99", "velocity"),
        ("deceleration=1.01", "envelope"),
        ("offset=0.99", "envelope"),
        ("position=1.01", "position"),
        ("start=1.01", "start"),
        ("lost=1.05", "lost, steady"),  # the 21st in a row instead of the 20th
        ("lost=0.95", "lost, steady"),
    ],
)
def test_one_limit_changed_by_one_percent_is_found(
    fci_python: Path,
    corpus: list[Stream],
    our_verdicts: list[Verdict],
    plant: str,
    family: str,
) -> None:
    chosen = [number for number, stream in enumerate(corpus) if stream.family == family]
    streams = [corpus[number] for number in chosen]
    ours = [our_verdicts[number] for number in chosen]
    assert disagreements(streams, ours, franka_sim(fci_python, streams, plant=plant)) != []
