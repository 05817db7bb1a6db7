"""What the figures of docs/ share: runs in virtual time, derivatives by the arm's rule, a style.

Everything is played by `rt_infer._core.simulate`: the real stepper against the simulated FR3, equal
scripts give equal runs. Needs matplotlib (`pip install 'rt-infer[plot]'`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rt_infer import _core

matplotlib.use("Agg")
from matplotlib import pyplot

Array = NDArray[np.float64]

IMAGES = Path(__file__).resolve().parent.parent / "images"
FPS = 30.0
CYCLE_S = 0.001
ACCELERATION_LIMIT = 10.0  # rad/s²
JERK_LIMIT = 5000.0  # rad/s³

# Okabe and Ito's palette, told apart with any colour vision.
BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
YELLOW, SKY, GREY, PALE = "#E69F00", "#56B4E9", "#707070", "#e4e4e4"
STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.xmargin": 0.0,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
}

READY: Array = _core.simulate({}, 1)["q_command"][0]


def actions(joints: dict[int, Array]) -> Array:
    """A chunk (T, 7): the given joints, counted from 1, offset from the ready pose; others rest."""
    count = len(next(iter(joints.values())))
    chunk = np.tile(READY, (count, 1))
    for joint, offset_rad in joints.items():
        chunk[:, joint - 1] += offset_rad
    return chunk


def follow(
    policy: Callable[[Array], Array], cycles: int, *, every: int, count: int = 50, delay: int = 60
) -> dict[str, Any]:
    """Follow `policy` (steps -> (T, 7)): asked each `every` cycles, answered `delay` cycles later.

    Like a policy behind a network: it is asked at the policy clock's value at the capture, which is
    known once the run has been played so far.
    """
    chunks: list[tuple[int, Array, None, int, None]] = []
    for capture in range(5, cycles - delay, every):
        step = _core.simulate({}, capture + 1, chunks=chunks)["policy_step"][-1]
        chunks.append((capture + delay, policy(step + np.arange(count)), None, capture, None))
    return _core.simulate({}, cycles, chunks=chunks)


def minimum_jerk(distance: float, steps: int) -> Array:
    """From 0 to `distance`, at rest at both ends, in `steps` values."""
    s = np.linspace(0.0, 1.0, steps)
    return distance * s**3 * (10 - 15 * s + 6 * s**2)


def derivatives(q_rad: Array) -> tuple[Array, Array, Array]:
    """Velocity, acceleration and jerk by backward Euler at 1 ms, as the arm computes them."""
    rates = []
    for _ in range(3):
        q_rad = np.diff(q_rad, axis=0, prepend=q_rad[:1]) / CYCLE_S
        rates.append(q_rad)
    return rates[0], rates[1], rates[2]


def passed_s(run: dict[str, Any]) -> Array:
    """Time of each cycle since the first [s]."""
    return (run["time_ns"] - run["time_ns"][0]) / 1e9


def whole(run: dict[str, Any]) -> dict[str, Any]:
    """The run, which no limiter and no reflex has touched: what a figure of planning may show."""
    assert run["reflex"] is None, run["reflex"]
    assert run["counts"]["limiter_interventions"] == 0, run["counts"]
    return run


def limit_lines(axis: Any, limit: float, label_at: float | None = None) -> None:
    """Dashed lines at ± a limit of the arm, with its name at `label_at` where there is room."""
    for value in (-limit, limit):
        axis.axhline(value, color=ORANGE, linewidth=1.0, linestyle="--", zorder=0)
    if label_at is not None:
        place = {"ha": "left", "va": "top", "fontsize": 9}
        axis.text(label_at, 0.95 * limit, "the FR3's limit", color=ORANGE, **place)


def say(axis: Any, text: str, at: Sequence[float], *, to: Sequence[float], **style: Any) -> None:
    """A label at `to` with a thin line to the point `at` that it speaks of, both in data."""
    colour = style.pop("color", "black")
    axis.annotate(
        text,
        at,
        xytext=to,
        color=colour,
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.7, "shrinkB": 2},
        **{"fontsize": 9} | style,
    )


@contextmanager
def picture(name: str, mosaic: str, **layout: Any) -> Iterator[dict[str, Any]]:
    """Axes by their letters in `mosaic`; written to docs/images/motion-`name`.png in the end."""
    with pyplot.style.context(STYLE):
        figure, axes = pyplot.subplot_mosaic(mosaic, layout="constrained", **layout)
        yield axes
        path = IMAGES / f"motion-{name}.png"
        drawn = BytesIO()
        figure.savefig(drawn, dpi=110)
        pyplot.close(figure)
    # A palette is all that lines and letters need, and a third of the bytes.
    colours = Image.open(drawn).convert("RGB").quantize(160, method=Image.Quantize.MAXCOVERAGE)
    colours.save(path, optimize=True)
    kilobytes = path.stat().st_size / 1e3
    assert kilobytes <= 120, f"{path.name} has {kilobytes:.0f} kB"
    print(f"{path.relative_to(IMAGES.parent.parent)}  {kilobytes:.0f} kB")
