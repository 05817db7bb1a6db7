"""The action ring beside boost::lockfree::spsc_queue; what is compared: csrc/benches/ring.cpp."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import programs
import pytest

ROUNDS = 25
CHUNKS = 10_000
NO_BOOST = "not installed: apt-get install -y libboost-dev, then make -C csrc/benches clean"

COPIED = ("ours, copied in and out", "boost, push and pop of a batch")
IN_PLACE = ("ours, read in place", "boost, pop of a batch", "boost, consume_all in place")


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two threads need two CPUs")
def test_chunks_through_the_ring(contest: Callable[..., Any]) -> None:
    where = "CPUs {}, {}: a thread each, pinned".format(*sorted(os.sched_getaffinity(0))[:2])
    copied = contest(
        "ring: chunks of 50 records of 192 bytes, both copy",
        "ns a record",
        where,
        key="mean",
        bars={COPIED[1]: 1.0},
    )
    in_place = contest(
        "ring: the same, ours read in place",
        "ns a record",
        where,
        key="mean",
        bars={IN_PLACE[1]: 1 / 1.2},
    )
    rounds = programs.play("ring", ROUNDS, CHUNKS)
    for played in rounds:
        copied.add(COPIED[0], *programs.figures(played["ours copied"]))
        in_place.add(IN_PLACE[0], *programs.figures(played["ours in place"]))
        if "boost copied" in played:
            copied.add(COPIED[1], *programs.figures(played["boost copied"]))
            in_place.add(IN_PLACE[1], *programs.figures(played["boost copied"]))
            in_place.add(IN_PLACE[2], *programs.figures(played["boost in place"]))
    if "boost copied" not in rounds[0]:
        copied.skip(COPIED[1], NO_BOOST)
        in_place.skip(IN_PLACE[1], NO_BOOST)
    for table in (copied, in_place):
        table.notes.append(f"ours: {1e6 / table.figure(table.ours, 'mean'):.0f} records/ms")
