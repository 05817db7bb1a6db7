"""Streams with lost packets: 1 to 25 in a row, in every phase of a motion, alone and in showers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from command_stream import ACCELERATION, ACCEPTED, LOST, VELOCITY, Stream, without
from fr3_numbers import CENTRE, DDQ_MAX, LOST_MAX, at_centre_but, end_of_range, room_for
from shapes import along, burst, reach, scaled, summed, swing

LENGTHS = range(1, 26)


def in_steady_phases(rng: np.random.Generator) -> Iterator[Stream]:
    """Acceleration is constant where packets get lost: the arm guesses right, up to the 20th."""
    for count in LENGTHS:
        joint, side = int(rng.integers(7)), int(rng.choice([-1, 1]))
        half = np.concatenate([np.linspace(0.2, 1.0, 5), np.ones(60), np.linspace(0.8, 0.0, 5)])
        half *= side * rng.uniform(0.1, 0.99) * DDQ_MAX
        ddq = np.concatenate([np.zeros(60), half, np.zeros(60), -half, np.zeros(60)])
        commands = CENTRE + along(joint, summed(ddq))
        phases = {"rest": 10, "speeding up": 75, "cruise": 140, "braking": 205, "rest again": 270}
        for phase, begins in phases.items():
            gap = (begins + int(rng.integers(0, 15)), count)
            arrives, lost = without(commands, [gap])
            yield Stream(
                f"lost, steady/{count} {phase}",
                CENTRE,
                arrives,
                lost,
                expected=ACCEPTED if count < LOST_MAX else LOST,
            )


def in_changing_phases(rng: np.random.Generator) -> Iterator[Stream]:
    """Acceleration changes meanwhile: whether the motion survives depends on by how much."""
    for count in LENGTHS:
        for number in range(3):
            commands = CENTRE + scaled(
                reach(rng, int(rng.integers(200, 700))), rng.uniform(0.05, 0.99)
            )
            gap = (int(rng.integers(1, len(commands) - count - 1)), count)
            arrives, lost = without(commands, [gap])
            yield Stream(f"lost, reach/{count} {number}", CENTRE, arrives, lost)


def and_resumed_where_it_was(rng: np.random.Generator) -> Iterator[Stream]:
    """A client that counts its own commands goes on from its last one: a step back."""
    for count in range(1, LOST_MAX):
        joint = int(rng.integers(7))
        speed = rng.uniform(0.1, 1.0)
        ddq = np.concatenate([np.zeros(30), burst(speed, 8.0), np.zeros(100)])
        commands = CENTRE + along(joint, summed(ddq))
        lost = ((len(commands) - int(rng.integers(20, 80)), count),)
        yield Stream(f"lost, resumed/{count}", CENTRE, commands, lost, expected=ACCELERATION)


def into_the_envelope(rng: np.random.Generator) -> Iterator[Stream]:
    """The extrapolated reference leaves the velocity envelope in the middle of the gap."""
    for joint in range(7):
        for side in (1, -1):
            speed = rng.uniform(0.3, 1.5)
            faster = burst(speed, 8.0)
            cruise = 60
            # After the burst and the cruise the joint is 2 to 8 cycles away from the envelope.
            way = summed(np.concatenate([faster, np.zeros(cruise)]))[-1]
            way += room_for(joint, speed) + rng.uniform(2, 8) * speed * 1e-3
            start = at_centre_but(joint, end_of_range(joint, side) - side * way)
            ddq = np.concatenate([faster, np.zeros(cruise + 12), -faster])
            commands = start + along(joint, side * summed(ddq))
            arrives, lost = without(commands, [(len(faster) + cruise, 15)])
            yield Stream(
                f"lost, envelope/joint{joint + 1} {side:+d}",
                start,
                arrives,
                lost,
                expected=VELOCITY,
            )


def before_the_first_command(rng: np.random.Generator) -> Iterator[Stream]:
    """The arm waits at rest for a client that is slow to begin, however long."""
    for count in (1, 5, 19, 20, 25, 300):
        commands = CENTRE + scaled(reach(rng, 300), 0.9)
        yield Stream(f"lost, first/{count}", CENTRE, commands, ((0, count),), expected=ACCEPTED)


def in_showers(rng: np.random.Generator) -> Iterator[Stream]:
    """Many gaps in one motion, close to each other or far apart."""
    for number in range(60):
        size = rng.uniform(0.02, 0.3) if number % 2 else rng.uniform(0.3, 0.95)
        shape = scaled(swing(rng, int(rng.integers(400, 1500))), size)
        gaps = []
        cycle = int(rng.integers(1, 40))
        while cycle < len(shape) - 30:
            count = int(min(rng.geometric(0.5), 25))
            gaps.append((cycle, count))
            cycle += count + int(rng.integers(1, 120))
        arrives, lost = without(CENTRE + shape, gaps)
        yield Stream(f"lost, shower/{number}", CENTRE, arrives, lost)
