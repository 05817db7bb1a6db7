"""Chunk streams no policy and no network should produce, and what the core makes of them.

Everything is drawn from one seed: where the arm starts (also where the velocity envelope is shut),
the policy's rate, what the chunks ask for, when they come (late, twice, in another order, never),
which packets to the arm get lost, when the world asks for rest or for a new epoch.

Only one thing is kept apart: an arm that starts where its envelope is shut loses no packets. While
it creeps out, the arm's own extrapolation of a braking acceleration over a lost cycle may turn back
inward, by however little, and there no speed at all is allowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from command_stream import Array, Stream
from fr3_numbers import LOST_MAX, Q_MAX, Q_MIN, room_for

from rt_infer import _core
from rt_infer.config.robot import AGGREGATES

POLICY_FPS = (5.0, 10.0, 15.0, 30.0, 50.0, 60.0, 100.0, 200.0)


def start_pose(rng: np.random.Generator, *, in_band: bool) -> Array:
    """Anywhere outside the closing band (7,); or every second joint or so inside of it."""
    pose = rng.uniform(Q_MIN + 0.02, Q_MAX - 0.02)
    for joint in np.flatnonzero(rng.random(7) < 0.5) if in_band else ():
        room = rng.uniform(0.0, 1.2) * room_for(joint, 0.0)
        pose[joint] = rng.choice([Q_MIN[joint] + room, Q_MAX[joint] - room])
    return pose


def actions(rng: np.random.Generator, around: Array, fps: float) -> Array:
    """A chunk of 1 to 50 targets (T, 7)."""
    count = int(rng.integers(1, 51))
    steps = np.arange(count)[:, None]
    wide = (Q_MAX - Q_MIN) * 1.2
    middle = (Q_MAX + Q_MIN) / 2
    match int(rng.integers(8)):
        case 0:  # anywhere, at every step, and past the ends of the range
            return middle + rng.uniform(-0.5, 0.5, (count, 7)) * wide
        case 1:  # the other way at every step
            return around + rng.uniform(0.01, 1.5, 7) * (-1.0) ** steps
        case 2:  # from one end of the range to the other
            ends = np.where((steps // rng.integers(1, 10, 7)) % 2 == 0, Q_MIN, Q_MAX)
            return ends + rng.uniform(-0.02, 0.02, (count, 7))
        case 3:  # far outside
            return np.tile(around + rng.uniform(-20.0, 20.0, 7), (count, 1))
        case 4:  # a sine that is too fast for the arm, or not
            frequency = rng.uniform(0.2, 3.0, 7)
            return around + rng.uniform(0.1, 1.0, 7) * np.sin(2 * np.pi * frequency * steps / fps)
        case 5:  # straight on, at up to ten times the top speed
            return around + rng.uniform(-26.0, 26.0, 7) * steps / fps
        case 6:  # noise around where it stands
            return around + rng.normal(0.0, rng.uniform(1e-4, 0.1), (count, 7))
        case _:  # stay
            return np.tile(around, (count, 1))


def chunk_events(
    rng: np.random.Generator, cycles: int, fps: float, pose: Array
) -> list[tuple[int, Array, float | None, int, int | None]]:
    """As `_core.simulate` takes them; 0 to 60 policy steps late, lost, doubled, reordered."""
    step = 1000.0 / fps  # cycles
    latest = float(rng.choice([0, 0, 2, 2, 10, 60]))
    pause = rng.uniform(0.5, 10.0) * step
    events = []
    capture = int(rng.integers(0, 10))
    while capture < cycles - 2:
        delay = 1 + int(rng.uniform(0.0, latest) * step)
        origin_step = float(rng.uniform(0.0, capture / step + 5.0)) if rng.random() < 0.1 else None
        targets = actions(rng, pose, fps)
        if rng.random() < 0.5:
            pose = np.clip(targets[-1], Q_MIN, Q_MAX)
        for _ in range(int(rng.choice([0, 1, 1, 1, 1, 1, 1, 2]))):
            events.append((capture + delay, targets, origin_step, capture, None))
            delay += int(rng.integers(0, 200))
        capture += 1 + int(min(rng.exponential(pause), 1000.0))
    return events


def record(seed: int, cycles: int) -> tuple[Stream, dict[str, Any]]:
    """One hostile run against the simulated FR3: the commands that the core gave, and the run."""
    rng = np.random.default_rng([seed, cycles])
    in_band = seed % 5 == 4
    pose = start_pose(rng, in_band=in_band)
    fps = float(rng.choice(POLICY_FPS))
    config = {
        "fps": fps,
        "speed": float(rng.choice([1.0, 1.0, 0.5])),
        "max_age_s": 20.0,
        "max_start_distance_rad": 10.0,
        "aggregate": str(rng.choice(AGGREGATES)),
        "arm": {"type": "sim_fr3", "start_pose_rad": pose.tolist()},
    }
    loss_rate = 0.0 if in_band else float(rng.choice([0.001, 0.004, 0.01]))
    losses = rng.integers(1, cycles, int(cycles * loss_rate))
    pauses = np.sort(rng.integers(1, cycles, 2 * int(rng.integers(0, 3))))
    run = _core.simulate(
        config,
        cycles,
        chunks=chunk_events(rng, cycles, fps, pose),
        requests=[(int(at), ("rest", "follow")[i % 2]) for i, at in enumerate(pauses)],
        lost=[(int(at), int(rng.integers(1, LOST_MAX))) for at in np.unique(losses)],
        new_epochs=[int(at) for at in rng.integers(1, cycles, int(rng.integers(0, 3)))],
    )
    gaps = np.asarray(run["elapsed_cycles"], dtype=np.int64) - 1
    lost = tuple((int(at), int(gaps[at])) for at in np.flatnonzero(gaps > 0))
    stream = Stream(f"recorded/{seed} {fps:g} Hz", pose, run["q_command"], lost)
    return stream, run


def travelled_rad(stream: Stream) -> float:
    """How far the commands went, summed over the joints."""
    return float(np.abs(np.diff(stream.commands, axis=0)).sum())
