"""`rt-infer replay`: what it says of a recording, and what its user can make of one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from recorded_runs import path, recording
from recordings import flip_a_bit, planted

from rt_infer.cli import main
from rt_infer.recording import Recording
from rt_infer.recording import open as open_recording

__all__ = ["path", "recording"]  # fixtures


def test_the_command_says_so_in_one_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(path)]) == 0
    told = capsys.readouterr()
    count = f"{len(open_recording(path).cycles):,}".replace(",", " ")
    assert told.out == f"replayed {count} cycles: every command equal, bit for bit\n"
    assert told.err == ""


def test_another_build_is_named_where_a_run_differs(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = recording.cycles.copy()
    flip_a_bit(changed["q_command"], (300, 0))
    build = {**recording.header["build"], "compiler": "g++ 4.9", "core_sha256": "0"}
    planted(recording, tmp_path / "changed.rec", cycles=changed, header={"build": build})
    assert main(["replay", str(tmp_path / "changed.rec")]) == 1
    told = capsys.readouterr().out
    assert "recorded by another build" in told
    assert "compiler g++ 4.9 (here " in told
    assert "built core" in told


def test_the_outcome_can_be_had_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is True
    assert told["cycles"] == len(open_recording(path).cycles)


def test_the_recorded_motion_can_be_drawn(path: Path, tmp_path: Path) -> None:
    picture = tmp_path / "run.png"
    assert main(["replay", str(path), f"--plot={picture}"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_recording_that_was_cut_off_is_played_up_to_there(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = path.read_bytes()
    cut = tmp_path / "cut.rec"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    count = len(open_recording(cut).cycles)
    assert 0 < count < len(open_recording(path).cycles)
    assert main(["replay", str(cut)]) == 0
    told = capsys.readouterr()
    assert f"{count:,}".replace(",", " ") in told.out
    assert "cut off" in told.err


def test_a_recording_that_is_damaged_or_holds_no_cycle_proves_nothing(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    damaged = tmp_path / "damaged.rec"
    damaged.write_bytes(whole)
    empty = tmp_path / "empty.rec"
    empty.write_bytes(path.read_bytes()[: open_recording(path)._blocks[0].end + 100])
    for file, word in ((damaged, "damaged"), (empty, "cut off")):
        assert main(["replay", str(file)]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert word in told.err
        assert "proves nothing" in told.err


@pytest.mark.parametrize("words", [["/nowhere/run.rec"], [__file__]])
def test_what_cannot_be_played_is_one_sentence_and_exit_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("rt-infer: ")
    assert len(told.err.splitlines()) == 1


def test_the_snippet_of_the_page_analyses_a_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.rec").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    page = Path(__file__).resolve().parent.parent / "docs/recordings.md"
    (snippet,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    exec(snippet, {})
    assert (tmp_path / "joint_4.png").exists()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 5
    assert lines[0].endswith("complete")
