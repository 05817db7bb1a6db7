"""The path and its speed profile once more, in numpy, from the formulas of docs/motion.md.

Only figures use it: the core tells where its clock runs, not what it might have run. motion.py
checks that the real clock follows this path and stays below this profile, so a figure that no
longer shows what the core does is not drawn.
"""

from __future__ import annotations

import numpy as np
from house import FPS, Array

from rt_infer.robots.fr3_kinematics import LOWER_RAD, UPPER_RAD
from rt_infer.robots.fr3_limits import BRAKING_RAD_S2, VELOCITY_OFFSET_RAD_S, VELOCITY_RAD_S

# Shares of the arm's limits (csrc/motion/limits.hpp, speed_profile.hpp).
LIMITER = (0.001, 0.995, 0.95)  # range [rad], velocity, deceleration
PLANNER = (0.008, 0.92, 0.65)
CRUISE, BRAKE, JERK = 7.5, 9.0, 2250.0
SHORTEST_BRAKING_S = 0.05
WIDEST_STEPS, NARROWEST_STEPS, LONGEST_S, FARTHEST_RAD = 0.25, 1.0 / 64.0, 0.010, 0.05


def envelope(q_rad: Array, towards: Array, margins: tuple[float, float, float]) -> Array:
    """Greatest speed (..., 7) towards the end of the range that the sign of `towards` points to."""
    range_rad, velocity, decel = margins
    up = UPPER_RAD - range_rad - q_rad
    down = q_rad - LOWER_RAD - range_rad
    room = np.where(towards >= 0.0, up, down)
    braking = decel * np.minimum(BRAKING_RAD_S2, 8.0)
    speed = np.sqrt(np.maximum(2.0 * braking * room, 0.0)) - VELOCITY_OFFSET_RAD_S
    return np.clip(speed, 0.0, velocity * VELOCITY_RAD_S)


class ChunkPath:
    """The C² curve through the targets of one chunk, over steps from its first target on."""

    def __init__(self, targets: Array) -> None:
        count = len(targets)
        self.end = count - 1.0
        self.q = targets
        self.d2 = np.zeros_like(self.q)
        turns = 6.0 * (targets[2:] - 2.0 * targets[1:-1] + targets[:-2])
        inner = count - 2
        matrix = 4.0 * np.eye(inner) + np.eye(inner, k=1) + np.eye(inner, k=-1)
        self.d2[1 : count - 1] = np.linalg.solve(matrix, turns)
        rise = np.diff(targets, axis=0)
        self.d1 = np.zeros_like(self.q)
        self.d1[:-1] = rise - (2.0 * self.d2[:-1] + self.d2[1:]) / 6.0
        self.d1[-1] = rise[-1] + (self.d2[-2] + 2.0 * self.d2[-1]) / 6.0
        self.steepest = float(max(np.abs(rise).max(), np.abs(self.d1).max()))

    def at(self, step: float) -> tuple[Array, Array, Array, Array]:
        """Position and its first three derivatives by step."""
        i = min(int(step), len(self.q) - 2)
        # The quintic with these values, slopes and curvatures at both ends.
        ends = (self.q[i], self.d1[i], self.d2[i], self.q[i + 1], self.d1[i + 1], self.d2[i + 1])
        rows = [_powers(0.0, n) for n in range(3)] + [_powers(1.0, n) for n in range(3)]
        coefficients = np.linalg.solve(np.array(rows), np.array(ends))
        q, d1, d2, d3 = (_powers(step - i, n) @ coefficients for n in range(4))
        return q, d1, d2, d3


def _powers(u: float, derivative: int) -> Array:
    row = np.zeros(6)
    for power in range(derivative, 6):
        factor = np.prod(np.arange(power - derivative + 1, power + 1), dtype=float)
        row[power] = factor * u ** (power - derivative)
    return row


def ceiling(point: tuple[Array, Array, Array, Array], nominal: float) -> float:
    """Greatest rate² [steps²/s²] that velocity, curvature and jerk leave at a point of the path."""
    q, d1, d2, d3 = point
    with np.errstate(divide="ignore"):
        velocity = (envelope(q, d1, PLANNER) / np.abs(d1)) ** 2
        curvature = CRUISE / np.abs(d2)
        jerk = np.where(
            np.abs(d3) * nominal**3 > JERK, (JERK / np.abs(d3)) ** (2.0 / 3.0), nominal**2
        )
    velocity = np.where(np.abs(d1) > 1e-12, velocity, nominal**2)
    return float(min(nominal**2, velocity.min(), curvature.min(), jerk.min()))


def speed_profile(path: ChunkPath, nominal: float = FPS) -> tuple[Array, Array, Array]:
    """Steps; the greatest rate at them; and the ceiling without having to stop [steps/s].

    Rate² is linear between the steps: at samples, and where it leaves a level to brake.
    """
    spacing = WIDEST_STEPS
    while spacing > NARROWEST_STEPS and (
        spacing > nominal * LONGEST_S or spacing * path.steepest > FARTHEST_RAD
    ):
        spacing /= 2.0
    steps = np.linspace(0.0, path.end, round(path.end / spacing) + 1)
    points = [path.at(step) for step in steps]
    ceilings = np.array([ceiling(point, nominal) for point in points])
    padded = np.pad(ceilings, 1, mode="edge")
    most = np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])

    def power(point: tuple[Array, Array, Array, Array], squared: float) -> float:
        """Deceleration [steps/s²] that every joint can follow at this point and rate²."""
        _, d1, d2, _ = point
        left = np.maximum(BRAKE + np.sign(d1) * d2 * squared, 0.02 * BRAKE)
        decels = left / np.maximum(np.abs(d1), 1e-12)
        return min(nominal / SHORTEST_BRAKING_S, float(np.min(decels)))

    squared = np.zeros(len(steps))
    corners: dict[int, float] = {}  # where, between two samples, the level of the first ends
    for i in range(len(steps) - 2, -1, -1):
        after, later = squared[i + 1], power(points[i + 1], squared[i + 1])
        risen = after
        for _ in range(2):
            now = power(points[i], min(most[i], risen))
            risen = after + 2.0 * spacing * min(later, now)
        squared[i] = min(most[i], risen)
        if most[i] < risen and most[i] > after:
            corners[i] = float(steps[i + 1] - spacing * (most[i] - after) / (risen - after))
    where = [i + 1 for i in corners]
    steps_and_corners = np.insert(steps, where, list(corners.values()))
    squared = np.insert(squared, where, [squared[i] for i in corners])
    ceilings = np.insert(ceilings, where, [ceilings[i] for i in corners])
    return steps_and_corners, np.sqrt(squared), np.sqrt(ceilings)
