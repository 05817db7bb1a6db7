"""Streams that go to one limit of one joint: just below, just above, and clearly either way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from command_stream import (
    ACCELERATION,
    ACCEPTED,
    JERK,
    NOT_FINITE,
    POSITION,
    START,
    VELOCITY,
    Array,
    Stream,
)
from fr3_numbers import (
    CENTRE,
    DDDQ_MAX,
    DDQ_MAX,
    DQ_MAX,
    DT_S,
    START_TOLERANCE,
    VELOCITY_MARGIN,
    at_centre_but,
    end_of_range,
    fastest_towards_end,
    room_for,
)
from shapes import along, burst, quintic, reach, scaled, summed

GRADES = (0.5, 0.99, 0.999, 1 - 1e-6, 1 + 1e-6, 1.001, 1.01, 1.3)


def graded() -> Iterator[tuple[int, int, float]]:
    """(joint, side, fraction of the limit): every joint, its sides in turn."""
    for joint in range(7):
        for number, grade in enumerate(GRADES):
            yield joint, 1 if (joint + number) % 2 else -1, grade


def moved(joint: int, ddq: Array, rng: np.random.Generator) -> Array:
    """The accelerations on one joint, after some rest; the others reach, well within limits."""
    ddq = np.concatenate([np.zeros(60), ddq, np.zeros(60)])
    others = scaled(reach(rng, len(ddq), still=0), 0.3)
    return along(joint, summed(ddq), others)


def jerks(rng: np.random.Generator) -> Iterator[Stream]:
    for joint, side, grade in graded():
        step = side * grade * DDDQ_MAX * DT_S
        ddq = step * np.array([1.0, 0.0, -1.0, 0.0, -1.0, 0.0, 1.0])
        yield Stream(
            f"jerk/joint{joint + 1} {side:+d} x{grade}",
            CENTRE,
            CENTRE + moved(joint, ddq, rng),
            expected=ACCEPTED if grade < 1 else JERK,
        )


def accelerations(rng: np.random.Generator) -> Iterator[Stream]:
    for joint, side, grade in graded():
        rise = np.array([0.25, 0.5, 0.75])
        half = side * grade * DDQ_MAX * np.concatenate([rise, np.ones(30), rise[::-1]])
        yield Stream(
            f"acceleration/joint{joint + 1} {side:+d} x{grade}",
            CENTRE,
            CENTRE + moved(joint, np.concatenate([half, -half]), rng),
            expected=ACCEPTED if grade < 1 else ACCELERATION,
        )


def velocities(rng: np.random.Generator) -> Iterator[Stream]:
    """Top speed while the joint crosses the middle of its range."""
    for joint, side, grade in graded():
        faster = burst(side * grade * (DQ_MAX[joint] - VELOCITY_MARGIN), 0.9 * DDQ_MAX)
        shape = moved(joint, np.concatenate([faster, np.zeros(10), -faster]), rng)
        start = at_centre_but(joint, CENTRE[joint] - summed(faster)[-1])
        yield Stream(
            f"velocity/joint{joint + 1} {side:+d} x{grade}",
            start,
            start + shape,
            expected=ACCEPTED if grade < 1 else VELOCITY,
        )


def positions() -> Iterator[Stream]:
    """At the very end of the range, where the envelope is shut."""
    for joint in range(7):
        for side in (1, -1):
            end = end_of_range(joint, side)
            # name, distance of the start from the end, of the following commands, verdict
            for name, start_rad, then_rad, expected in (
                ("stands on it", 0.0, 0.0, ACCEPTED),
                ("steps past it", 2e-6, -1e-9, POSITION),
                ("steps towards it", 2e-6, 1e-6, VELOCITY),
                ("leaps past it", 0.5, -0.1, POSITION),
            ):
                start = at_centre_but(joint, end - side * start_rad)
                commands = np.tile(start, (200, 1))
                commands[100:, joint] = end - side * then_rad
                yield Stream(
                    f"position/joint{joint + 1} {side:+d} {name}",
                    start,
                    commands,
                    expected=expected,
                )


def starts_in_the_closing_band(rng: np.random.Generator) -> Iterator[Stream]:
    for joint in range(7):
        for side in (1, -1):
            room = rng.uniform(0.05, 0.95) * room_for(joint, 0.0)
            start = at_centre_but(joint, end_of_range(joint, side) - side * room)
            for name, way, expected in (
                ("outward", 0.5 * room, VELOCITY),
                ("inward", -0.2, ACCEPTED),
            ):
                shape = along(joint, side * way * quintic(600))
                yield Stream(
                    f"closing band/joint{joint + 1} {side:+d} {name}",
                    start,
                    start + shape,
                    expected=expected,
                )


def into_the_envelope(rng: np.random.Generator) -> Iterator[Stream]:
    """Towards the end of the range: following the envelope from inside or outside, or blindly."""
    for joint in range(7):
        for number, share in enumerate((0.4, 0.6, 0.75, 0.85, 0.95, 1.05, np.inf)):
            side = 1 if (joint + number) % 2 else -1
            # Joints 5 and 7 may close in faster than they can brake: slowly, then.
            top = rng.uniform(0.2, 0.35) if joint in (4, 6) else rng.uniform(0.5, 1.5)
            room = room_for(joint, top) + 0.15
            start = at_centre_but(joint, end_of_range(joint, side) - side * room)
            shape = along(joint, side * approach(joint, top, room, share))
            yield Stream(
                f"envelope/joint{joint + 1} {side:+d} x{share}",
                start,
                start + shape,
                expected=VELOCITY if share > 1 else None,
            )


def approach(joint: int, top: float, room: float, share: float) -> Array:
    """Up to a speed, and then at most ``share`` of what the envelope admits (N,)."""
    rising = np.cumsum(burst(top, 0.8 * DDQ_MAX)) * DT_S
    speeds = np.zeros(1200)
    way = 0.0
    for cycle in range(len(speeds)):
        wanted = rising[min(cycle, len(rising) - 1)]
        admitted = fastest_towards_end(joint, room - way)
        speeds[cycle] = wanted if np.isinf(share) else min(wanted, share * admitted)
        way += speeds[cycle] * DT_S
    # A box that averages over 8 cycles: the corner where the envelope begins would be a jerk.
    rounded = np.convolve(np.concatenate([np.zeros(7), speeds]), np.full(8, 1 / 8), mode="valid")
    shape = np.cumsum(rounded) * DT_S
    return shape[shape < room] if np.isinf(share) else shape


def not_finite(rng: np.random.Generator) -> Iterator[Stream]:
    for number, value in enumerate((np.nan, np.inf, -np.inf) * 7):
        commands = CENTRE + scaled(reach(rng, 400), 0.5)
        commands[0 if number < 3 else rng.integers(1, 400), number % 7] = value
        yield Stream(f"not finite/{value} {number}", CENTRE, commands, expected=NOT_FINITE)


def far_starts() -> Iterator[Stream]:
    """The first command is further from q_d than the arm tolerates."""
    for joint in range(7):
        for side, way in ((1, START_TOLERANCE * (1 + 1e-6)), (-1, START_TOLERANCE * 3)):
            commands = np.tile(CENTRE, (200, 1))
            commands[:, joint] += side * way
            yield Stream(f"start/joint{joint + 1} {side:+d}", CENTRE, commands, expected=START)
