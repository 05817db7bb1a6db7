"""The shared corpus: the same streams for both judges, the same ones on every machine."""

from __future__ import annotations

from dataclasses import replace

import corpus_limits
import corpus_losses
import corpus_motions
import numpy as np
from command_stream import ACCELERATION, ACCEPTED, JERK, Stream
from fr3_numbers import CENTRE, START_TOLERANCE

SEED = 20261123


def shared_corpus() -> list[Stream]:
    """Every stream begins with q_d, or so far from it that both judges refuse it."""
    rng = np.random.default_rng(SEED)
    streams = [
        *corpus_limits.jerks(rng),
        *corpus_limits.accelerations(rng),
        *corpus_limits.velocities(rng),
        *corpus_limits.positions(),
        *corpus_limits.starts_in_the_closing_band(rng),
        *corpus_limits.into_the_envelope(rng),
        *corpus_limits.not_finite(rng),
        *corpus_limits.far_starts(),
        *corpus_motions.sines(rng),
        *corpus_motions.reaches(rng),
        *corpus_motions.twitches(rng),
        *corpus_motions.wanderings(rng),
        *corpus_motions.raw_steps(rng),
        *corpus_motions.straight_lines(rng),
        *corpus_losses.in_steady_phases(rng),
        *corpus_losses.in_changing_phases(rng),
        *corpus_losses.and_resumed_where_it_was(rng),
        *corpus_losses.into_the_envelope(rng),
        *corpus_losses.before_the_first_command(rng),
        *corpus_losses.in_showers(rng),
    ]
    return [from_rest(stream) for stream in streams]


def from_rest(stream: Stream) -> Stream:
    """The stream with q_d as its first command, unless its start is what it is about."""
    away = np.abs(stream.commands[0] - stream.start_pose_rad)
    if not np.all(away <= START_TOLERANCE) or not away.any():
        return stream
    return replace(
        stream,
        commands=np.vstack([stream.start_pose_rad, stream.commands]),
        lost=tuple((command + 1 if command else 0, count) for command, count in stream.lost),
    )


def first_steps() -> list[Stream]:
    """Where the judges differ by design: the first command lies a little beside q_d.

    ``expected`` is the simulated FR3's verdict. It differences the first command against q_d, as
    FCI says q_c,0 = q_d; franka_sim takes it as a new position of rest and accepts all of these.
    """
    streams = []
    for joint in range(7):
        for step_rad, expected in (
            (1e-6, ACCEPTED),  # 1 rad/s², 2000 rad/s³ at most
            (3e-6, JERK),  # 6000 rad/s³ when it stands still again
            (1e-4, ACCELERATION),
            (0.0999, ACCELERATION),
        ):
            commands = np.tile(CENTRE, (100, 1))
            commands[:, joint] += step_rad
            streams.append(
                Stream(
                    f"first step/joint{joint + 1} {step_rad}", CENTRE, commands, expected=expected
                )
            )
    return streams
