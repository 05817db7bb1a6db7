"""Pictures of a motion that goes on: raw targets, a splice, the end of a joint's range."""

from __future__ import annotations

from typing import Any

import numpy as np
from house import (
    ACCELERATION_LIMIT,
    BLUE,
    CYCLE_S,
    FPS,
    GREEN,
    GREY,
    JERK_LIMIT,
    ORANGE,
    PURPLE,
    READY,
    SKY,
    YELLOW,
    Array,
    actions,
    derivatives,
    follow,
    limit_lines,
    minimum_jerk,
    passed_s,
    picture,
    say,
    whole,
)
from planner import LIMITER, PLANNER, envelope

from rt_infer import _core
from rt_infer.robots.fr3_kinematics import LOWER_RAD
from rt_infer.robots.fr3_limits import VELOCITY_RAD_S, velocity_limits_rad_s


def raw_targets() -> None:
    """30 Hz targets as they are, joined by lines, and as the core follows them."""

    def slow_sine(step: Array) -> Array:  # 0.6 rad there and back in 5 s, from rest
        return 0.3 * (1.0 - np.cos(2.0 * np.pi * 0.2 * np.maximum(step, 0.0) / FPS))

    run = whole(follow(lambda steps: actions({1: slow_sine(steps)}), 1200, every=800))
    moving = int(np.argmax(run["policy_rate"] > 0.0))
    time_s = np.arange(1000) * CYCLE_S
    targets = np.arange(31)
    streams = {
        "each target held": slow_sine(np.floor(time_s * FPS)),
        "joined by lines": np.interp(time_s * FPS, targets, slow_sine(targets)),
        "rt-infer": run["q_command"][moving:, 0][:1000] - READY[0],
    }
    with picture("raw-targets", "aei;bfj;cgk;dhl", figsize=(10, 7), sharex=True) as axes:
        columns = [[axes[letter] for letter in letters] for letters in ("abcd", "efgh", "ijkl")]
        for column, (name, offset) in zip(columns, streams.items(), strict=True):
            taken, reflex = _core.judge(READY, actions({1: offset}))
            verdict = f"stopped at command {taken + 1}" if reflex else f"all {taken} accepted"
            column[0].set_title(f"{name}\n{verdict}", color=ORANGE if reflex else GREEN)
            column[0].set_ylim(-0.01, 0.22)
            column[0].plot(targets / FPS, slow_sine(targets), ".", color=GREY, markersize=4)
            column[0].plot(time_s, offset, color=BLUE, linewidth=1.2)
            if reflex:
                broken = reflex.replace("generator_", "generator\n_")
                column[0].text(0.04, 0.14, broken, fontsize=9, color=ORANGE)
            _rates(column[1:], time_s, offset)
            column[-1].set_xlabel("time [s]")
        columns[2][0].text(0.04, 0.16, "dots: the policy's targets", fontsize=9, color=GREY)
        names = ("position [rad]", "velocity [rad/s]", "acceleration [rad/s²]", "jerk [rad/s³]")
        for axis, name in zip(columns[0], names, strict=True):
            axis.set_ylabel(name)
            axis.yaxis.set_label_coords(-0.24, 0.5)
        for axis in columns[1] + columns[2]:
            axis.tick_params(labelleft=False)


def _rates(axes: list[Any], time_s: Array, offset: Array) -> None:
    limits = (VELOCITY_RAD_S[0], ACCELERATION_LIMIT, JERK_LIMIT)
    for axis, value, limit in zip(axes, derivatives(offset), limits, strict=True):
        axis.plot(time_s, value, color=BLUE, linewidth=0.9)
        limit_lines(axis, limit)
        axis.set_ylim(-1.9 * limit, 1.9 * limit)
        peak = np.abs(value).max() / limit
        text = f"peak {peak:,.0f} × limit" if peak > 10.0 else f"peak {peak:.2g} × limit"
        colour = ORANGE if peak > 1.0 else "black"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axis.text(
            0.98, 0.05, text, transform=axis.transAxes, ha="right", color=colour, bbox=box,
            fontsize=9,
        )  # fmt: skip


def splice() -> None:
    """A second chunk that wants the opposite of the first, by each rule."""
    there = minimum_jerk(0.6, 45)
    back = 0.16 - np.cumsum(np.minimum(np.arange(50), 8)) / 8 * 0.5 / FPS
    rules = {
        "conservative": (PURPLE, "conservative (0.7 old)"),
        "average": (YELLOW, "average (0.5 old)"),
        "weighted_average": (GREEN, "weighted_average (0.3 old)"),
        "latest_only": (BLUE, "latest_only"),
        "crossfade": (ORANGE, "crossfade (10 steps)"),
        "offset_decay": (SKY, "offset_decay (0.3 s)"),
    }
    capture, arrival = 600, 660
    chunks = [
        (25, actions({1: there}), None, 5, None),
        (arrival, actions({1: back}), None, capture, None),
    ]
    with picture(
        "splice", "q;v;a", figsize=(9, 7.2), sharex=True, height_ratios=(1.6, 1, 1)
    ) as axes:
        for name, (colour, label) in rules.items():
            run = whole(_core.simulate({"aggregate": name}, 2000, chunks=chunks))
            offset = run["q_command"][:, 0] - READY[0]
            dq, ddq, _ = derivatives(offset)
            for axis, value in zip(axes.values(), (offset, dq, ddq), strict=True):
                axis.plot(passed_s(run), value, color=colour, label=label)
        # Where the clock of latest_only was at the targets' steps.
        run = _core.simulate({"aggregate": "latest_only"}, 2000, chunks=chunks)
        for targets, origin in ((there, 0.0), (back, run["policy_step"][capture])):
            steps = origin + np.arange(len(targets))
            at_s = np.interp(steps, run["policy_step"], passed_s(run))
            seen = (steps > 2.0) & (steps < run["policy_step"][-1])
            axes["q"].plot(at_s[seen], targets[seen], ".", color=GREY, markersize=5, zorder=0)
        old_ends_s = np.interp(len(there) - 1.0, run["policy_step"], passed_s(run))
        for axis in axes.values():
            for at_s in (arrival * CYCLE_S, old_ends_s):
                axis.axvline(at_s, color=GREY, linewidth=0.8, linestyle=":")
            axis.set_xlim(0.0, 1.9)
        q = axes["q"]
        q.set_ylim(-0.75, 0.65)
        q.legend(loc="lower left")
        q.text(1.05, 0.53, "the first chunk's targets", color=GREY, fontsize=9, ha="right")
        q.text(0.68, -0.02, "the second chunk's", color=GREY, fontsize=9)
        say(q, "the second chunk arrives", (arrival * CYCLE_S, 0.18), to=(0.18, 0.36))
        say(
            q, "the first one's last target:\nits share has faded", (old_ends_s, 0.1), to=(1.6, 0.2)
        )
        limit_lines(axes["a"], ACCELERATION_LIMIT, label_at=0.01)
        q.set_ylabel("joint 1 [rad]")
        axes["v"].set_ylabel("velocity [rad/s]")
        axes["a"].set_ylabel("acceleration [rad/s²]")
        axes["a"].set_xlabel("time [s]")


def range_end() -> None:
    """Targets beyond the end of joint 4, and the three envelopes before it."""
    joint, start = 3, READY.copy()
    start[joint] = -1.2
    wanted = np.tile(start, (80, 1))
    wanted[:, joint] -= minimum_jerk(3.2, 80)
    assert wanted[-1, joint] < LOWER_RAD[joint] - 1.0
    run = whole(
        _core.simulate(
            {"arm": {"type": "sim_fr3", "start_pose_rad": start.tolist()}},
            4000,
            chunks=[(25, wanted, None, 5, None)],
        )
    )
    q = run["q_command"][:, joint] - LOWER_RAD[joint]
    speed = -derivatives(q)[0]
    before = np.concatenate([np.geomspace(1e-5, 0.05, 400), np.linspace(0.05, 1.9, 400)])
    poses = np.tile(READY, (len(before), 1))
    poses[:, joint] = LOWER_RAD[joint] + before
    towards = np.full(7, -1.0)
    arms = np.maximum(-velocity_limits_rad_s(poses)[0][:, joint], 0.0)
    curves = {
        "the arm's": (ORANGE, arms, (0.82, 2.36)),
        "the limiter's": (YELLOW, envelope(poses, towards, LIMITER)[:, joint], (0.56, 1.85)),
        "the planner's": (GREEN, envelope(poses, towards, PLANNER)[:, joint], (1.85, 2.2)),
    }
    with picture("range-end", "ab", figsize=(10, 4.2)) as axes:
        far, near = axes["a"], axes["b"]
        for axis, scale in ((far, 1.0), (near, 1e3)):
            for colour, curve, _ in curves.values():
                axis.plot(before * scale, curve, color=colour)
            axis.plot(q * scale, speed, color=BLUE)
            axis.set_ylabel("joint 4, speed towards its end [rad/s]")
        far.set(xlim=(1.9, 0.0), ylim=(0.0, 2.8), xlabel="before the end of the range [rad]")
        for label, (colour, _, at) in curves.items():
            far.text(*at, label, color=colour)
        far.text(1.55, 0.85, "the run", color=BLUE)
        near.set(xlim=(60, 0), ylim=(0.0, 0.4), xlabel="before the end of the range [mrad]")
        say(
            near, f"rests {q[-1] * 1e3:.1f} mrad\nbefore the end", (q[-1] * 1e3, 0.0), to=(57, 0.05)
        )
        shut_mrad = before[arms <= 0.0].max() * 1e3
        near.axvspan(shut_mrad, 0, color="#f4ddd0", linewidth=0, zorder=0)
        place = {"ha": "center", "va": "top", "fontsize": 9, "color": ORANGE}
        near.text(shut_mrad / 2, 0.39, f"shut: last\n{shut_mrad:.1f} mrad", **place)
