"""Whether what a server agreed to fits this robot. Pure logic; the uplink asks once a connection.

The server has held the robot's observations against the policy. What comes back is held against the
robot here: entries that go to other joints than the policy meant would move an arm anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from rt_infer.wire.messages import Welcome


def misfit(welcome: Welcome, action_names: Sequence[str]) -> str | None:
    """Why no action of this policy may move the robot, in one sentence; None if they may."""
    if list(welcome.actions) != list(action_names):
        return (
            f"The policy's actions are {', '.join(welcome.actions)} and the robot takes "
            f"{', '.join(action_names)}, in this order; choose a policy made for it."
        )
    if welcome.history != 1:
        return (
            f"The policy wants {welcome.history} successive observations at once, and this version "
            "of rt-infer sends the newest only; choose a policy that wants one."
        )
    return None


def other_rate(welcome: Welcome, fps: float) -> str | None:
    """What to tell a user whose --fps is not the rate that the policy's actions are meant for."""
    if welcome.fps is None or abs(welcome.fps - fps) <= 1e-3 * fps:
        return None
    return (
        f"The policy's actions are meant for {welcome.fps:g} a second and --fps={fps:g}: the arm "
        f"moves at {fps / welcome.fps:.2g} of the speed that was taught."
    )
