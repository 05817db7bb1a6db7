"""Streams as clients send them: smooth motions of a given size, raw targets, lines between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from command_stream import ACCELERATION, ACCEPTED, Array, Stream
from fr3_numbers import CENTRE, DT_S
from shapes import reach, scaled, swing, wander

RATIOS = (0.2, 0.5, 0.8, 0.9, 0.99, 0.999, 1.001, 1.01, 1.1, 2.0)
POLICY_FPS = (5, 10, 15, 30, 50, 60, 100, 200)


def sines(rng: np.random.Generator) -> Iterator[Stream]:
    for number in range(60):
        ratio = RATIOS[number % len(RATIOS)]
        shape = scaled(swing(rng, int(rng.integers(300, 1800))), ratio)
        expected = ACCEPTED if ratio < 1 else ACCELERATION
        yield Stream(f"sine/{number} x{ratio}", CENTRE, CENTRE + shape, expected=expected)


def reaches(rng: np.random.Generator) -> Iterator[Stream]:
    for number in range(60):
        ratio = RATIOS[number % len(RATIOS)]
        shape = scaled(reach(rng, int(rng.integers(150, 500))), ratio)
        expected = ACCEPTED if ratio < 1 else ACCELERATION
        yield Stream(f"reach/{number} x{ratio}", CENTRE, CENTRE + shape, expected=expected)


def twitches(rng: np.random.Generator) -> Iterator[Stream]:
    """So short that jerk binds before acceleration does, or does not: both are close."""
    for number in range(40):
        ratio = RATIOS[number % len(RATIOS)]
        shape = scaled(reach(rng, int(rng.integers(8, 40)), still=200), ratio)
        yield Stream(
            f"twitch/{number} x{ratio}",
            CENTRE,
            CENTRE + shape,
            expected=ACCEPTED if ratio < 1 else None,
        )


def wanderings(rng: np.random.Generator) -> Iterator[Stream]:
    for number in range(30):
        ratio = (0.7, 0.95, 1.02)[number % 3]
        shape = wander(rng, int(rng.integers(200, 600)), ratio)
        yield Stream(
            f"wander/{number} x{ratio}",
            CENTRE,
            CENTRE + shape,
            expected=ACCEPTED if ratio < 1 else None,
        )


def slow_sine(rng: np.random.Generator, fps: int) -> Array:
    """Targets of a policy that moves all joints slowly, from where the arm stands (T, 7)."""
    t = np.arange(0, 1 + fps)[:, None] / fps
    return CENTRE + rng.uniform(0.05, 0.3, 7) * np.sin(2 * np.pi * rng.uniform(0.1, 0.6) * t)


def raw_steps(rng: np.random.Generator) -> Iterator[Stream]:
    """Each target sent again and again until the next one comes."""
    for fps in POLICY_FPS:
        for number in range(3):
            commands = np.repeat(slow_sine(rng, fps), 1000 // fps, axis=0)
            yield Stream(f"raw/{fps} Hz {number}", CENTRE, commands, expected=ACCELERATION)


def straight_lines(rng: np.random.Generator) -> Iterator[Stream]:
    """Linear interpolation between the targets: every corner is a step in velocity."""
    for fps in POLICY_FPS:
        for number in range(3):
            targets = slow_sine(rng, fps)
            if number == 2:  # small enough to be a matter of jerk, or of nothing
                targets = CENTRE + (targets - CENTRE) * 10.0 ** rng.uniform(-3.5, -1.5)
            at = np.arange(0.0, 1.0, DT_S) * fps
            lines = [np.interp(at, np.arange(len(targets)), targets[:, j]) for j in range(7)]
            yield Stream(f"linear/{fps} Hz {number}", CENTRE, np.stack(lines, axis=1))
