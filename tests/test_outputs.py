"""What cannot be written is told before the arm moves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rt_infer.config import RunConfig
from rt_infer.report import outputs
from rt_infer.report.present import run_and_report
from rt_infer.report.terminal import Terminal
from rt_infer.robots.sim_fr3 import SimFr3Config


def config(report: Path | None = None, plot: Path | None = None) -> RunConfig:
    return RunConfig(
        robot=SimFr3Config(id="outputs"),
        policy_type="hold",
        report=str(report) if report else None,
        plot=str(plot) if plot else None,
    )


def test_files_in_a_folder_that_is_there_can_be_written(tmp_path: Path) -> None:
    assert outputs.obstacle(config(tmp_path / "run.json", tmp_path / "run.png")) is None
    assert outputs.obstacle(config()) is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    sentence = outputs.obstacle(config(report=tmp_path / "none" / "run.json"))
    assert sentence is not None
    assert sentence.startswith("--report=")
    assert f"{tmp_path / 'none'} is not there" in sentence


def test_a_recording_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    wanted = config()
    wanted.record = str(tmp_path)
    assert (outputs.obstacle(wanted) or "").startswith(f"--record={tmp_path} cannot be written")


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs.png").mkdir()
    assert "is a folder" in (outputs.obstacle(config(plot=tmp_path / "runs.png")) or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_of_somebody_else_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "may not write" in (outputs.obstacle(config(report=tmp_path / "run.json")) or "")


def test_a_plot_without_matplotlib_is_told_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "find_spec", lambda name: None)
    assert "pip install '.[plot]'" in (outputs.obstacle(config(plot=tmp_path / "a.png")) or "")


def test_nothing_is_started_for_a_report_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rt_infer.report.present.run", lambda *words: pytest.fail("it ran"))
    assert run_and_report(config(report=tmp_path / "none" / "run.json"), Terminal()) == 2
    assert "is not there; make it first" in capsys.readouterr().err
