"""franka_sim's verdicts: `python peer.py STREAMS.npz VERDICTS.json [--plant NAME=FACTOR]`

Runs in franka_sim's own environment and imports nothing of rt-infer. It does to the limit checker
and to the packet accounting what franka_sim's server does in each cycle (server/state_stream.py and
server/motion_session.py), without the server: no socket, no physics, no clock. Enforcement is on.

Where the server hands the checker a measured q, the reference stands here: there is no physics to
measure, and the simulated FR3 too reads its velocity envelope at the reference.

--plant multiplies one limit of the checker, so that a test can see a disagreement being found.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from franka_sim.comm_constraints import MAX_CONSECUTIVE_LOST_CYCLES, CommConstraintTracker
from franka_sim.control_modes import ControlMode
from franka_sim.limits import checker, tables
from franka_sim.limits.checker import MotionLimitChecker, Violation

JOINTS = 7
MOTION = 1  # any token: one motion a stream

# Since 0.15 libfranka gives this name to leaving the range; the generator's own flag stays false.
FCI_NAMES = {
    "joint_motion_generator_position_limits_violation": "joint_position_limits_violation",
}


class Session:
    """One motion, cycle by cycle. A cycle stays open until the next state is published."""

    def __init__(self, start_pose: Sequence[float], lost_cycles_max: int) -> None:
        self._comm = CommConstraintTracker(enforce=True, max_consecutive_lost=lost_cycles_max)
        self._limits = MotionLimitChecker(enforce=True)
        self._reference = list(start_pose)
        self._state = 0  # message_id of the newest state; cycle i answers state i + 1
        rest = [0.0] * JOINTS
        self._comm.start_motion(MOTION)
        self._limits.start_motion(
            ControlMode.POSITION, {"q_d": self._reference, "dq_d": rest, "ddq_d": rest}, MOTION
        )

    @property
    def newest_cycle(self) -> int:
        return self._state - 1

    def publish(self) -> str | None:
        """Close the open cycle, open the next; why the closed one stopped the arm."""
        self._limits.check_measured_velocity(self._reference)
        self._state += 1
        outcome = self._comm.tick(self._state)
        self._limits.note_published(self._state)
        if not outcome.lost:
            return None
        if outcome.violation_triggered:
            return "communication_constraints_violation"
        extrapolated = self._limits.extrapolate(outcome.closed_id)
        if extrapolated is None:
            return None
        command, violation = extrapolated
        self._reference = command["q_c"]
        return None if violation is None else name_of(violation)

    def answer(self, q: Sequence[float]) -> str | None:
        """Send a command for the newest state; why it stopped the arm."""
        fresh = self._comm.command_received(self._state)
        command = {"message_id": self._state, "q_c": q}
        outcome = self._limits.absorb_command(command, self._reference, fresh=fresh, enforce=True)
        if outcome.violation is not None:
            return name_of(outcome.violation)
        self._reference = q
        return None


def name_of(violation: Violation) -> str:
    # A command that is not finite has no flag of its own; libfranka would not have sent it.
    if violation.fatal:
        return "command is infinite or NaN"
    return FCI_NAMES.get(violation.error_name, violation.error_name)


def judge(
    start_pose: np.ndarray, commands: np.ndarray, lost: np.ndarray, lost_cycles_max: int
) -> tuple[int, str]:
    """(index of the first failing cycle, its reflex), or (number of cycles, "accepted")."""
    session = Session(start_pose.tolist(), lost_cycles_max)
    lost_before = np.zeros(len(commands), dtype=np.int64)
    np.add.at(lost_before, lost[:, 0], lost[:, 1])
    for q, unanswered in zip(commands.tolist(), lost_before.tolist(), strict=True):
        for _ in range(unanswered + 1):
            reflex = session.publish()
            if reflex is not None:
                return session.newest_cycle - 1, reflex
        reflex = session.answer(q)
        if reflex is not None:
            return session.newest_cycle, reflex
    return session.newest_cycle + 1, "accepted"


def streams_of(path: str) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    with np.load(path, allow_pickle=False) as file:
        commands = np.split(file["commands"], np.cumsum(file["command_counts"])[:-1])
        lost = np.split(file["lost"], np.cumsum(file["lost_counts"])[:-1])
        yield from zip(file["start_pose_rad"], commands, lost, strict=True)


def plant(name: str, factor: float) -> int:
    """Change one limit by a factor; returns the lost cycles in a row that stop a motion."""
    envelope = np.ones(3)
    if name == "acceleration":
        checker.MAX_JOINT_ACCELERATION = scaled(checker.MAX_JOINT_ACCELERATION, factor)
    elif name == "jerk":
        checker.MAX_JOINT_JERK = scaled(checker.MAX_JOINT_JERK, factor)
    elif name == "position":
        limits = tuple(scaled(pair, factor) for pair in tables.JOINT_POSITION_LIMITS)
        tables.JOINT_POSITION_LIMITS = checker.JOINT_POSITION_LIMITS = limits
    elif name == "start":
        MotionLimitChecker.__init__.__kwdefaults__["start_pose_tolerance"] *= factor
    elif name in ENVELOPE:
        envelope[ENVELOPE.index(name)] = factor
    elif name == "lost":
        return round(MAX_CONSECUTIVE_LOST_CYCLES * factor)
    else:
        sys.exit(f"peer.py can plant no {name}.")
    tables.POSITION_BASED_VELOCITY_LIMITS = tuple(
        tuple(np.array(row) * envelope) for row in tables.POSITION_BASED_VELOCITY_LIMITS
    )
    return MAX_CONSECUTIVE_LOST_CYCLES


ENVELOPE = ("velocity", "offset", "deceleration")  # the columns of franka_sim's table


def scaled(limits: Sequence[float], factor: float) -> tuple[float, ...]:
    return tuple(limit * factor for limit in limits)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("streams")
    parser.add_argument("verdicts")
    parser.add_argument("--plant", metavar="NAME=FACTOR")
    options = parser.parse_args()
    lost_cycles_max = MAX_CONSECUTIVE_LOST_CYCLES
    if options.plant is not None:
        name, _, factor = options.plant.partition("=")
        lost_cycles_max = plant(name, float(factor))
    verdicts = [judge(*stream, lost_cycles_max) for stream in streams_of(options.streams)]
    with open(options.verdicts, "w") as file:
        json.dump(verdicts, file)


if __name__ == "__main__":
    main()
