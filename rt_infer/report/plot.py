"""The motion of a run as a picture: joint paths at 1 kHz, and how close they came to the limits.

Drawn from telemetry: commands as they reached the arm, cycle by cycle. Needs matplotlib, which the
robot's machine need not have: `pip install '.[plot]'`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rt_infer.robot.recorder import SPLICED
from rt_infer.robots.fr3_limits import ratios

HOLD = 1  # RTI_PHASE_HOLD
# Okabe and Ito's palette, told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


class PlotError(Exception):
    """There is nothing to draw, or nothing to draw with: one sentence."""


def draw(
    records: NDArray[np.void] | None, path: str, title: str, greatest: Sequence[float]
) -> None:
    """Write the picture of telemetry `records` to the PNG file `path`. PlotError, OSError.

    greatest: velocity, acceleration and jerk over the limit at their worst, as the arm counted
    them: it also knows the cycles whose packets were lost, which the curves leave out.
    """
    if records is None or len(records) < 2:
        raise PlotError("There is no telemetry to plot: the run ended before the arm moved.")
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise PlotError(
            "--plot needs matplotlib, which is not installed: pip install '.[plot]'."
        ) from error
    time_s = (records["time_ns"] - records["time_ns"][0]) / 1e9
    with pyplot.style.context({"font.size": 10, "axes.spines.top": False}):
        figure, axes = pyplot.subplots(
            4,
            1,
            sharex=True,
            figsize=(16, 11),
            height_ratios=(3.2, 1, 1, 1),
            layout="constrained",
        )
        figure.suptitle(title, fontsize=14, x=0.01, ha="left")
        _paths(axes[0], time_s, records)
        used = ratios(records["q_command"], records["cycle"])
        for axis, name, values, most in zip(axes[1:], used._fields, used, greatest, strict=True):
            _ratio(axis, time_s, name, values, most)
        for axis in axes:
            axis.spines["right"].set_visible(False)
            axis.margins(x=0)
            _holds(axis, time_s, records)
        axes[-1].set_xlabel("time [s]")
        figure.savefig(path, dpi=110)
        pyplot.close(figure)


def _paths(axis: Any, time_s: NDArray[np.float64], records: NDArray[np.void]) -> None:
    spliced = time_s[(records["flags"] & SPLICED) != 0]
    for at_s in spliced:
        axis.axvline(at_s, color="#b0b0b0", linewidth=0.6, zorder=0)
    for joint, colour in enumerate(COLOURS):
        axis.plot(
            time_s, records["q"][:, joint], color=colour, linewidth=0.7, alpha=0.45, linestyle="--"
        )
        axis.plot(
            time_s,
            records["q_command"][:, joint],
            color=colour,
            linewidth=1.5,
            label=f"joint {joint + 1}",
        )
    axis.set_ylabel("joint position [rad]\ncommanded (solid), measured (dashed)")
    axis.plot([], [], color="#b0b0b0", linewidth=0.8, label=f"new chunk ({len(spliced)})")
    axis.fill_between([], [], color="#e4e4e4", label="at rest")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def _ratio(
    axis: Any, time_s: NDArray[np.float64], name: str, values: NDArray[np.float64], most: float
) -> None:
    worst = values.max(axis=1)  # NaN, a gap in the line, where cycles are missing
    gaps = "\ngaps: lost cycles" if np.isnan(worst).any() else ""
    axis.axhline(1.0, color="#D55E00", linewidth=1.2, linestyle="--")
    axis.fill_between(time_s, worst, color="#0072B2", alpha=0.25, linewidth=0)
    axis.plot(time_s, worst, color="#0072B2", linewidth=0.8)
    axis.set_ylabel(f"{name}\n/ limit")
    axis.set_ylim(0, max(1.1, most * 1.05, float(np.nanmax(worst)) * 1.05))
    axis.text(
        1.005,
        0.5,
        f"worst joint,\nmax {most:.3f}{gaps}",
        transform=axis.transAxes,
        va="center",
    )


def _holds(axis: Any, time_s: NDArray[np.float64], records: NDArray[np.void]) -> None:
    """Shade the stretches in which the arm was at rest."""
    at_rest = np.concatenate([[False], records["phase"] == HOLD, [False]])
    edges = np.flatnonzero(np.diff(at_rest.astype(np.int8)))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        axis.axvspan(
            time_s[begin],
            time_s[min(end, len(time_s) - 1)],
            color="#e4e4e4",
            linewidth=0,
            zorder=-1,
        )
