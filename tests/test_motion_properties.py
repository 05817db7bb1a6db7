"""Properties of the motion in virtual time: whatever comes in, what goes out keeps the promises.

The judge of the limits, tests/fr3_limits.py, shares no code with rt-infer; it is tested here first.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from fr3_limits import DECELERATION, DT_S, OFFSET, Q_MAX, Q_MIN, broken_limit
from hypothesis import given, settings
from hypothesis import strategies as st

from rt_infer import _core
from rt_infer.config.robot import AGGREGATES
from rt_infer.robot.region import Phase

Array = npt.NDArray[np.float64]
# arrives [cycle], actions, origin step as at the capture, captured [cycle], epoch as at the capture
ChunkEvent = tuple[int, Array, None, int, None]

READY = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])

# In CI the same worlds at every run, elsewhere new ones.
worldwide = settings(derandomize="CI" in os.environ, deadline=None, max_examples=150)

CYCLES = 5000  # of a world, before it is asked to finish
LONGEST_STOP = 1500  # cycles, from full speed, with a way back from lost packets
STILL_RAD = 1e-10  # a cycle: the tail of an approach along the closing envelope


# ------------------------------------------------------------------ the judge


def minimum_jerk(shift_rad: float, duration_s: float) -> Array:
    u: Array = np.linspace(0.0, 1.0, round(duration_s / DT_S))[:, None]
    return READY + shift_rad * np.eye(7)[0] * (10 * u**3 - 15 * u**4 + 6 * u**5)


@pytest.mark.parametrize(
    ("commands", "verdict"),
    [
        (minimum_jerk(1.0, 2.0), None),
        (minimum_jerk(1.0, 0.7), "acceleration"),
        (minimum_jerk(2.5, 1.74), "velocity"),
        (minimum_jerk(1.0, 2.0)[::40], "acceleration"),
        (READY[None] + 6e-6 * np.eye(7)[0], "jerk"),
        (minimum_jerk(2.76, 6.0), "velocity"),
        (np.full((2, 7), np.nan), "position"),
    ],
)
def test_the_checker_tells_good_streams_from_bad_ones(commands: Array, verdict: str | None) -> None:
    broken = broken_limit(READY, commands, {})
    assert (broken and broken.split()[0]) == verdict


def test_the_checker_knows_that_an_arm_goes_on_over_lost_packets() -> None:
    commands = minimum_jerk(1.0, 2.0)
    resumed = np.delete(commands, slice(400, 410), axis=0)
    assert broken_limit(READY, commands, {400: 10}) is not None
    assert broken_limit(READY, resumed[:400], {}) is None
    assert broken_limit(READY, resumed, {}) is not None


# ------------------------------------------------------------------ the worlds


class World(NamedTuple):
    config: dict[str, Any]
    start: Array
    chunks: list[ChunkEvent]  # in order of arrival
    rests: list[tuple[int, int]]  # [from, until) cycles
    new_epochs: list[int]
    lost: dict[int, int]

    def play(self) -> dict[str, Any]:
        requests = [
            (cycle, name) for a, b in self.rests for cycle, name in ((a, "rest"), (b, "follow"))
        ]
        return _core.simulate(
            self.config,
            CYCLES + 2 * LONGEST_STOP,
            chunks=self.chunks,
            requests=[*requests, (CYCLES, "finish")],
            lost=list(self.lost.items()),
            new_epochs=self.new_epochs,
        )


def targets(
    style: str, random: np.random.Generator, start: Array, captured: int, hold_for: int
) -> Array:
    """(T, 7) actions, T up to 80, that are bad for an arm in one way."""
    count = int(random.integers(1, 81))
    action = np.arange(count)
    held = action // hold_for
    if style == "anywhere":
        return random.uniform(Q_MIN - 0.5, Q_MAX + 0.5, (count, 7))
    if style == "reversals":
        return np.array([Q_MIN, Q_MAX])[action % 2]
    if style == "jumps":
        return random.uniform(Q_MIN, Q_MAX, (count, 7))[held]
    if style == "beyond":
        return random.uniform(-20.0, 20.0, (count, 7))[held]
    if style == "near":
        return start + random.uniform(-0.4, 0.4, (count, 7))[held]
    return start + np.sin((captured / 200 + action) / 3)[:, None]


@st.composite
def chunk_events(draw: st.DrawFn, start: Array, fps: float) -> list[ChunkEvent]:
    """Chunks that are late, overtaken, dropped, repeated and poisoned."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    slowest = draw(st.sampled_from([0.0, 5.0, 60.0])) * 1000.0 / fps  # cycles
    every = draw(st.sampled_from([30, 150, 600, 2500]))  # cycles between two observations
    styles = ["anywhere", "reversals", "jumps", "beyond", "near", "sine"]
    style = draw(st.sampled_from(styles))
    hold_for = draw(st.integers(1, 40))
    events: list[ChunkEvent] = []
    captured = 1
    while captured < CYCLES:
        actions = targets(style, random, start, captured, hold_for)
        if random.random() < 0.05:
            actions[random.integers(len(actions)), random.integers(7)] = random.choice(
                [np.nan, np.inf]
            )
        for _ in range(random.choice([0, 1, 1, 1, 1, 1, 1, 2])):
            arrives = captured + 1 + int(random.uniform(0.0, slowest))
            events.append((arrives, actions, None, captured, None))
        captured += 1 + int(random.exponential(every))
    return sorted(events, key=lambda event: event[0])


cycles_of_a_world = st.integers(2, CYCLES - 1)


@st.composite
def worlds(draw: st.DrawFn, in_band: bool = False) -> World:
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    start = READY if draw(st.booleans()) else random.uniform(Q_MIN + 0.05, Q_MAX - 0.05)
    if in_band:
        joint = draw(st.integers(0, 6))
        inside = draw(st.floats(0.0, 1.0)) * (OFFSET**2 / (2.0 * DECELERATION))[joint]
        start = start.copy()
        start[joint] = draw(st.sampled_from([Q_MAX[joint] - inside, Q_MIN[joint] + inside]))
    fps = draw(st.floats(5.0, 200.0))
    cuts = draw(st.lists(cycles_of_a_world, max_size=4, unique=True).map(sorted))
    # Over lost packets the arm extrapolates by itself. While it creeps out of the closing band,
    # where no speed inward is allowed, that may lead back inside whatever was commanded.
    losses = st.dictionaries(cycles_of_a_world, st.integers(1, 19), max_size=0 if in_band else 40)
    return World(
        config={
            "fps": fps,
            "speed": draw(st.floats(0.1, 1.0)),
            "max_age_s": draw(st.sampled_from([0.3, 2.0, 20.0])),
            "max_start_distance_rad": draw(st.sampled_from([0.5, 100.0, 100.0])),
            "aggregate": draw(st.sampled_from(AGGREGATES)),
            "crossfade_steps": draw(st.floats(1.0, 60.0)),
            "offset_decay_s": draw(st.floats(0.01, 5.0)),
            "arm": {"type": "sim_fr3", "start_pose_rad": start.tolist()},
        },
        start=start,
        chunks=draw(chunk_events(start, fps)),
        rests=list(zip(cuts[::2], cuts[1::2], strict=False)),
        new_epochs=draw(st.lists(cycles_of_a_world, max_size=3)),
        lost=draw(losses),
    )


# ------------------------------------------------------------------ the promises


def gives_leave(world: World, event: ChunkEvent) -> bool:
    """Whether this chunk may move the arm, as far as script and arrival alone can tell."""
    arrives, actions, _, captured, _ = event
    void = any(captured < epoch <= arrives for epoch in world.new_epochs)
    resting = any(begin < arrives <= end or captured < end <= arrives for begin, end in world.rests)
    return bool(np.isfinite(actions).all()) and not void and not resting and arrives <= CYCLES


def cycles_without_leave(world: World, cycles: int) -> npt.NDArray[np.int64]:
    """For how long, at each cycle, nothing has allowed the arm to move; 0 where it may."""
    revoked = {0, CYCLES, *world.new_epochs, *(cycle for rest in world.rests for cycle in rest)}
    given = {event[0] for event in world.chunks if gives_leave(world, event)}
    out = np.zeros(cycles, np.int64)
    leave, since = False, 0
    for i in range(cycles):
        if i in revoked:
            leave, since = False, 0
        # A rest begins behind the chunks of its cycle, an epoch before them.
        if i in given and i not in {CYCLES, *(begin for begin, _ in world.rests)}:
            leave = True
        since = 0 if leave or i in world.lost else since + 1
        out[i] = since
    return out


@worldwide
@given(worlds())
def test_no_stream_of_chunks_breaks_a_limit(world: World) -> None:
    run = world.play()
    assert run["reflex"] is None
    assert broken_limit(world.start, run["q_command"], world.lost) is None


@worldwide
@given(worlds(in_band=True))
def test_no_stream_breaks_a_limit_from_a_start_inside_the_closing_band(world: World) -> None:
    run = world.play()
    assert run["reflex"] is None
    assert broken_limit(world.start, run["q_command"], world.lost) is None


@worldwide
@given(worlds())
def test_nothing_moves_for_longer_than_a_stop_takes_without_a_chunk_of_its_epoch(
    world: World,
) -> None:
    q = world.play()["q_command"]
    moved = np.abs(np.diff(q, axis=0, prepend=world.start[None])).max(axis=1)
    stopped = cycles_without_leave(world, len(q)) > LONGEST_STOP
    assert moved[stopped].max(initial=0.0) <= STILL_RAD


@worldwide
@given(worlds())
def test_every_motion_that_is_asked_to_ends_in_order(world: World) -> None:
    run = world.play()
    assert run["phase"][-1] == Phase.FINISHED
    assert len(run["phase"]) <= CYCLES + LONGEST_STOP
