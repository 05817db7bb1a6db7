"""Whether what a server agreed to fits this robot. Pure logic; the uplink asks once a connection.

The server has held the robot's observations against the policy. What comes back is held against the
robot here: the names of the policy's actions say what they do to which joint (actions/names.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from rt_infer.actions.names import Kind, Layout, UnfitActions, layout_of
from rt_infer.wire.messages import Welcome


class Unfit(ValueError):
    """Why no action of this policy may move the robot, in one sentence."""


def agree(welcome: Welcome, tools: Sequence[str] = ()) -> Layout:
    """What the policy's actions are to a robot with these tools; Unfit if they may not move it."""
    try:
        layout = layout_of(welcome.actions, tools)
    except UnfitActions as error:
        raise Unfit(str(error)) from None
    if welcome.history != 1:
        raise Unfit(
            f"The policy wants {welcome.history} successive observations at once, and this version "
            "of rt-infer sends the newest only; choose a policy that wants one."
        )
    return layout


def other_rate(welcome: Welcome, kind: Kind, fps: float) -> str | None:
    """What to tell a user whose --fps is not the rate that the policy's actions are meant for."""
    if welcome.fps is None or abs(welcome.fps - fps) <= 1e-3 * fps:
        return None
    faster = fps / welcome.fps
    # A velocity says how fast, and the rate how long; all else says where, and the rate how fast.
    consequence = (
        f"goes at the speed that was taught, but {1 / faster:.2g} times as far with each"
        if kind is Kind.VELOCITY
        else f"moves at {faster:.2g} of the speed that was taught"
    )
    return (
        f"The policy's actions are meant for {welcome.fps:g} a second and --fps={fps:g}: the arm "
        f"{consequence}."
    )
