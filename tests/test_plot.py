"""The plot of a run, and the ratios that it shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from robot_records import RECORD, records

from rt_infer.report import plot
from rt_infer.robots.fr3_limits import ratios


def test_ratios_are_what_backward_euler_says() -> None:
    cycles = np.arange(6, dtype=np.uint64)
    path = np.zeros((6, 7))
    path[:, 0] = [0.0, 0.0, 1e-6, 3e-6, 6e-6, 9e-6]
    used = ratios(path, cycles)
    velocity = np.array([0, 0, 1e-3, 2e-3, 3e-3, 3e-3])
    np.testing.assert_allclose(used.velocity[:, 0], velocity / 2.619, rtol=1e-6)
    np.testing.assert_allclose(used.acceleration[:, 0], [0, 0, 0.1, 0.1, 0.1, 0], atol=1e-9)
    np.testing.assert_allclose(used.jerk[:, 0], [0, 0, 0.2, 0, 0, 0.2], atol=1e-6)


def test_ratios_do_not_reach_over_missing_cycles() -> None:
    cycles = np.array([0, 1, 2, 5, 6, 7, 8], dtype=np.uint64)
    used = ratios(np.zeros((7, 7)), cycles)
    assert np.isnan(used.velocity[:, 0]).tolist() == [False] * 3 + [True] + [False] * 3
    assert np.isnan(used.acceleration[:, 0]).tolist() == [False] * 3 + [True] * 2 + [False] * 2
    assert np.isnan(used.jerk[:, 0]).tolist() == [False] * 3 + [True] * 3 + [False]


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    made = records(3000)
    made["phase"][:500] = 1
    made["flags"][500] = 1
    made["cycle"][2000:] += 5
    path = tmp_path / "run.png"
    plot.draw(made, str(path), "a title", (0.1, 0.2, 0.3))
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_plot_names_the_arms_own_maxima_which_know_the_lost_cycles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib import axes

    written: list[str] = []
    monkeypatch.setattr(axes.Axes, "text", lambda self, x, y, text, **how: written.append(text))
    made = records(3000)
    plot.draw(made, str(tmp_path / "run.png"), "", (0.111, 0.222, 0.333))
    assert [each.split()[-1] for each in written] == ["0.111", "0.222", "0.333"]
    written.clear()
    made["cycle"][2000:] += 5
    plot.draw(made, str(tmp_path / "run.png"), "", (0.111, 0.222, 0.333))
    assert all(each.endswith("gaps: lost cycles") for each in written)


def test_a_run_without_motion_has_no_plot(tmp_path: Path) -> None:
    with pytest.raises(plot.PlotError, match="no telemetry"):
        plot.draw(np.zeros(0, dtype=RECORD), str(tmp_path / "run.png"), "", (0, 0, 0))
