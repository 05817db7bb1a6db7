"""Shapes of motion: displacements from rest, one row or value a cycle, in radians.

The arm differences positions backwards over a cycle. A shape that is summed up from accelerations
therefore has exactly these accelerations in the arm's eyes, but for rounding (1e-6 rad/s³ of jerk).
"""

from __future__ import annotations

import numpy as np
from command_stream import Array
from fr3_numbers import DDDQ_MAX, DDQ_MAX, DT_S

__all__ = ["along", "burst", "quintic", "rates", "reach", "scaled", "summed", "swing", "wander"]

_RAMP = 4  # cycles in which an acceleration rises to its full value


def summed(ddq: Array) -> Array:
    """Displacement whose backward differences are these accelerations [rad/s²]."""
    return np.cumsum(np.cumsum(ddq, axis=0), axis=0) * DT_S**2


def rates(shape: Array) -> tuple[Array, Array, Array]:
    """Velocity, acceleration and jerk as the arm sees them, from rest at zero."""
    dq = np.diff(shape, axis=0, prepend=np.zeros_like(shape[:1])) / DT_S
    ddq = np.diff(dq, axis=0, prepend=np.zeros_like(dq[:1])) / DT_S
    return dq, ddq, np.diff(ddq, axis=0, prepend=np.zeros_like(ddq[:1])) / DT_S


def scaled(shape: Array, ratio: float) -> Array:
    """The shape in the size whose peak acceleration or jerk is ``ratio`` of the limit."""
    _, ddq, dddq = rates(shape)
    return shape * (ratio / max(np.abs(ddq).max() / DDQ_MAX, np.abs(dddq).max() / DDDQ_MAX))


def burst(speed: float, ddq: float) -> Array:
    """Accelerations that add up to a speed: linear rise, plateau of about ``ddq``, linear fall."""
    plateau = max(1, round(abs(speed) / ddq / DT_S) - _RAMP)
    rise = np.arange(1, _RAMP) / _RAMP
    profile = np.concatenate([rise, np.ones(plateau), rise[::-1]])
    return profile * (speed / (profile.sum() * DT_S))


def quintic(cycles: int) -> Array:
    """From 0 to 1 with no velocity and acceleration at either end."""
    s = np.arange(1, cycles + 1) / cycles
    return s**3 * (10.0 + s * (-15.0 + 6.0 * s))


def along(joint: int, values: Array, rest: Array | None = None) -> Array:
    """(N,) on one joint; the others stand, or move as ``rest`` (N, 7) says."""
    shape = np.zeros((len(values), 7)) if rest is None else rest.copy()
    shape[:, joint] = values
    return shape


def swing(rng: np.random.Generator, cycles: int) -> Array:
    """Sines of 1 to 4 Hz on all joints that rise smoothly and die away (N, 7)."""
    t = np.arange(1, cycles + 1)[:, None] * DT_S
    frequency = rng.uniform(1.0, 4.0, 7)
    swell = quintic(cycles // 3)[:, None]
    window = np.ones((cycles, 1))
    window[: len(swell)] = swell
    window[-len(swell) :] = swell[::-1]
    waves = np.sin(2 * np.pi * frequency * t + rng.uniform(0, 2 * np.pi, 7))
    return window * waves * rng.uniform(0.3, 1.0, 7) / frequency**2


def reach(rng: np.random.Generator, cycles: int, *, still: int = 50) -> Array:
    """A minimum-jerk move of all joints in random directions, then ``still`` cycles of rest."""
    way = quintic(cycles)[:, None] * rng.uniform(-1.0, 1.0, 7)
    return np.concatenate([way, np.repeat(way[-1:], still, axis=0)])


def wander(rng: np.random.Generator, cycles: int, ratio: float) -> Array:
    """Random jerk, cut off at ``ratio`` of the limits of jerk and acceleration (N, 7)."""
    ddq = np.zeros((cycles, 7))
    dq = np.zeros(7)
    q = np.zeros(7)
    now = np.zeros(7)
    for cycle in range(cycles):
        wanted = rng.uniform(-1.5, 1.5, 7) * DDQ_MAX - 8.0 * dq - 16.0 * q
        step = np.clip(wanted - now, -ratio * DDDQ_MAX * DT_S, ratio * DDDQ_MAX * DT_S)
        now = np.clip(now + step, -ratio * DDQ_MAX, ratio * DDQ_MAX)
        ddq[cycle] = now
        dq = dq + now * DT_S
        q = q + dq * DT_S
    return summed(ddq)
