"""Pictures of a motion that is interrupted: starvation, a stop request, lost packets."""

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
    ORANGE,
    PALE,
    PURPLE,
    READY,
    Array,
    actions,
    derivatives,
    limit_lines,
    minimum_jerk,
    passed_s,
    picture,
    say,
    whole,
)
from planner import ChunkPath, speed_profile

from rt_infer import _core
from rt_infer.robots.fr3_limits import ratios

HOLD = 1  # RTI_PHASE_HOLD


def starvation() -> None:
    """A chunk that ends in full motion, nothing after it for a while, then another one."""
    first = minimum_jerk(1.5, 45)[:26]
    second = first[-1] + minimum_jerk(0.9, 36)
    capture, arrival = 1900, 1960
    run = whole(
        _core.simulate(
            {},
            3600,
            chunks=[
                (25, actions({1: first}), None, 5, None),
                (arrival, actions({1: second}), None, capture, None),
            ],
        )
    )
    time_s, step, rate = passed_s(run), run["policy_step"], run["policy_rate"]
    resumed = step[capture]
    with picture("starvation", "qp;cp", figsize=(10, 5.4), width_ratios=(1.2, 1)) as axes:
        position, clock, plane = axes["q"], axes["c"], axes["p"]
        for targets, begin in ((first, 25), (second, arrival)):
            due_s = begin * CYCLE_S + np.arange(len(targets)) / FPS
            position.plot(due_s, targets, ".", color=GREY, markersize=4)
        position.plot(time_s, run["q_command"][:, 0] - READY[0], color=BLUE)
        clock.plot(time_s, rate, color=BLUE)
        held_s = time_s[(run["phase"] == HOLD) & (time_s > 0.5) & (time_s < 2.5)]
        for axis in (position, clock):
            axis.axvspan(held_s[0], held_s[-1], color=PALE, linewidth=0, zorder=-1)
        position.set(ylabel="joint 1 [rad]", title="over time")
        position.text(0.47, 0.75, "targets\nat 30 Hz", color=GREY, fontsize=9, ha="right")
        position.text(0.93, 1.05, "nothing follows", fontsize=9)
        position.text(2.72, 1.2, "the next chunk", fontsize=9)
        clock.set(ylabel="policy clock [steps/s]", xlabel="time [s]", ylim=(0, 33))
        clock.text(held_s.mean(), 16, "at rest", ha="center", fontsize=9)
        for targets, begin in ((first, 0.0), (second, resumed)):
            path = ChunkPath(actions({1: targets}))
            mine = (time_s < 1.9) if begin == 0.0 else (time_s > 1.95)
            steps, greatest, ceiling = speed_profile(path)
            _check(run, mine, path, begin, steps, greatest)
            plane.plot(begin + steps, ceiling, color=GREY, linewidth=1.0, linestyle="--")
            plane.plot(begin + steps, greatest, color=GREEN)
            plane.plot(step[mine], rate[mine], color=BLUE)
        plane.set(title="over policy steps", xlabel="policy step", ylim=(0, 33), xlim=(0, 33))
        plane.text(1.5, 9.0, "the clock", color=BLUE, fontsize=9)
        profile = "speed profile:\nfrom below it\nrest is in reach"
        say(plane, profile, (22.3, 22.3), to=(9.0, 17.0), color=GREEN)


def _check(
    run: dict[str, Any], mine: Array, path: ChunkPath, begin: float, steps: Array, greatest: Array
) -> None:
    """The core followed this path, and its clock kept below this profile, within half a percent."""
    for i in np.flatnonzero(mine)[::10]:
        step = run["policy_step"][i] - begin
        assert np.abs(run["q_command"][i] - path.at(min(step, path.end))[0]).max() < 1e-6
        allowed = np.sqrt(np.interp(step, steps, greatest**2))
        assert run["policy_rate"][i] <= 1.005 * allowed + 1e-9 or step >= path.end


def stop() -> None:
    """A request to rest at three phases of one motion."""
    turned = np.cumsum(np.minimum(np.arange(110) / 30, 1.0)) * 2.0 * np.pi * 0.5 / FPS
    chunk = actions({1: 0.5 * np.sin(turned), 2: 0.35 * (1.0 - np.cos(turned))})
    script = [(25, chunk, None, 5, None)]
    free = whole(_core.simulate({}, 3500, chunks=script))["q_command"]
    dense = np.array([np.interp(np.arange(0, 3500, 0.02), np.arange(3500), q) for q in free.T]).T
    requests = (
        (1150, BLUE, (0.02, 0.42)),
        (1800, GREEN, (-0.3, 0.52)),
        (2350, PURPLE, (-0.2, 0.1)),
    )
    with picture("stop", "pr;pa", figsize=(10, 5)) as axes:
        plane, rate, acceleration = axes["p"], axes["r"], axes["a"]
        plane.plot(*(free[:, :2] - READY[:2]).T, color=GREY, linewidth=1.0)
        for asked, colour, label_at in requests:
            run = whole(_core.simulate({}, 3500, chunks=script, requests=[(asked, "rest")]))
            q = run["q_command"]
            dq, ddq, _ = derivatives(q)
            speed = np.abs(dq).max(axis=1)
            still_ms = int(np.argmax(speed[asked:] < 1e-3))
            for pose in q[asked : asked + still_ms : 10]:
                assert np.abs(dense - pose).max(axis=1).min() < 2e-5  # on the path, rad
            since_ms = np.arange(len(q)) - asked
            seen = (since_ms >= -50) & (since_ms < 300)
            plane.plot(*(q[asked:, :2] - READY[:2]).T, color=colour, linewidth=3.5)
            plane.plot(*(q[-1, :2] - READY[:2]), "o", color=colour, markersize=6)
            text = f"asked at {speed[asked]:.2f} rad/s,\nstill {still_ms} ms later"
            plane.text(*label_at, text, color=colour, fontsize=9)
            rate.plot(since_ms[seen], run["policy_rate"][seen], color=colour)
            acceleration.plot(since_ms[seen], np.abs(ddq).max(axis=1)[seen], color=colour)
        plane.set(xlabel="joint 1 [rad]", ylabel="joint 2 [rad]", aspect="equal")
        plane.margins(0.06)
        rate.set(ylabel="policy clock [steps/s]", ylim=(0, 33))
        limit_lines(acceleration, ACCELERATION_LIMIT, label_at=180)
        acceleration.set(xlabel="since the request [ms]", ylim=(0, 11))
        acceleration.set_ylabel("acceleration,\nworst joint [rad/s²]")


def lost_packets() -> None:
    """Cycles that the arm went through alone, where they hurt most, and the way back."""
    there, stay = minimum_jerk(0.3, 17), np.full(10, 0.3)
    cycle_of_moves = np.concatenate([there, stay, 0.3 - there, stay - 0.3])
    script = [(25, actions({1: np.tile(cycle_of_moves, 2)}), None, 5, None)]
    losses = ((1020, 6), (1914, 12), (2802, 18))
    free = whole(_core.simulate({}, 3800, chunks=script))
    run = whole(_core.simulate({}, 3600, chunks=script, lost=losses))
    assert run["counts"]["reseeds"] == len(losses)
    time_s = passed_s(run)
    undisturbed = np.interp(time_s, passed_s(free), free["q_command"][:, 0])
    off_mrad = (run["q_command"][:, 0] - undisturbed) * 1e3
    used = ratios(run["q_command"], np.cumsum(run["elapsed_cycles"]).astype(np.uint64))
    with picture("lost-packets", "q;d;a", figsize=(9, 6), sharex=True) as axes:
        axes["q"].plot(time_s, run["q_command"][:, 0] - READY[0], color=BLUE)
        axes["d"].plot(time_s, off_mrad, color=BLUE)
        axes["a"].plot(time_s, used.acceleration.max(axis=1), color=BLUE)
        axes["a"].axhline(1.0, color=ORANGE, linewidth=1.0, linestyle="--")
        for cycle, lost in losses:
            until_s = time_s[cycle]
            for axis in axes.values():
                axis.axvspan(until_s - lost * CYCLE_S, until_s, color=ORANGE, linewidth=0)
            axes["q"].text(until_s + 0.02, 0.33, f"{lost} lost", color=ORANGE, fontsize=9)
            way = slice(cycle, cycle + 300)
            back_ms = int(np.flatnonzero(np.abs(off_mrad[way]) > 1e-3)[-1]) + 1
            most = np.abs(off_mrad[way]).max()
            text = f"{most:.2f} mrad off,\nback after {back_ms} ms"
            axes["d"].text(until_s + 0.13, 0.45, text, fontsize=9)
        axes["q"].set(ylabel="joint 1 [rad]", ylim=(-0.02, 0.38))
        axes["d"].set(ylabel="off the path [mrad]", ylim=(-1.0, 1.0))
        axes["a"].set(ylabel="acceleration / limit", xlabel="time [s]", ylim=(0.0, 1.1))
        peak = run["acceleration_ratio_max"]
        judged = f"as the arm judged it, lost cycles included: at most {peak:.2f}"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes["a"].text(0.03, 0.85, judged, fontsize=9, bbox=box)
