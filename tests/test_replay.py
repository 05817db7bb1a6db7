"""A recorded run is played again bit for bit, and what was changed since is found.

The run is one of a real core: chunks, lost packets, a new epoch, a heartbeat that went stale.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from core_rig import FPS, Robot
from recordings import Records, cycles, flip_a_bit, planted

from rt_infer.cli import main
from rt_infer.config import RunConfig
from rt_infer.recording import Recording, RecordingError
from rt_infer.recording import open as open_recording
from rt_infer.recording.replay import replay
from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.recording import RecordingTelemetry, header
from rt_infer.robot.region import CoreRegion, Phase
from rt_infer.robot.result import Ending
from rt_infer.robots.sim_fr3 import SimFr3Config

RESEEDED = 4  # RTI_CYCLE_RESEEDED: the arm is not where it was commanded


def swing(robot: Robot) -> None:
    """Two seconds of motion that never go straight on: an arm without commands goes elsewhere."""
    state = robot.state
    actions = np.tile(state.q_command, (60, 1))
    actions[:, 0] += 0.15 * (1 - np.cos(np.arange(60) / 5))
    assert robot.region.push_chunk(
        actions,
        epoch=state.epoch,
        chunk_id=100,
        capture_ns=time.monotonic_ns(),
        origin_step=state.policy_step,
        received_ns=time.monotonic_ns(),
    )


@contextmanager
def recorded(
    file: Path, robot_id: str, faults: Mapping[str, object]
) -> Iterator[tuple[Robot, RecordingTelemetry]]:
    """A core whose run is recorded; it has ended when this is left."""
    run = RunConfig(robot=SimFr3Config(id=robot_id), policy_type="hold")
    arm = {"type": "sim_fr3", "patient": True, "faults": faults}
    config = CoreConfig(arm=arm, fps=FPS, speed=0.9)
    with ExitStack() as parts:
        region = parts.enter_context(CoreRegion.create(robot_id, fps=FPS))
        told: list[str] = []
        recording = RecordingTelemetry(region, str(file), header(run, config), told.append)
        yield Robot(region, parts.enter_context(CoreProcess.start(region, config))), recording
        recording.read()
        kept = recording.finish(Ending(0), region.stats())
        assert (kept.path, kept.bytes, kept.ended) == (str(file), file.stat().st_size, None)
        assert told == []


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a run in which everything happens."""
    file = tmp_path_factory.mktemp("recordings") / "run.rec"
    faults = {"drop_from_cycle": 900, "drop_count": 15}
    with recorded(file, f"test-replay-{time.monotonic_ns()}", faults) as (robot, recording):
        swing(robot)
        robot.until(lambda: robot.state.cycle > 1300)
        recording.read()
        robot.push(-0.2)
        robot.until_cycles_have_passed(300)
        before = robot.state.epoch
        assert robot.region.new_epoch()
        robot.push(0.5, epoch=before)  # too late
        robot.until(lambda: robot.state.epoch > before)
        robot.until(lambda: robot.state.phase == Phase.HOLD)
        robot.push(0.25)
        robot.until_cycles_have_passed(300)
        robot.until(lambda: robot.state.phase == Phase.HOLD, beating=False)
        before = robot.state.epoch
        robot.until(lambda: robot.state.epoch > before)
        robot.push(-0.25)
        robot.until_cycles_have_passed(300)
        robot.core.finish()
        assert robot.status_at_end() == 0
    return file


@pytest.fixture(scope="module")
def recording(path: Path) -> Recording:
    return open_recording(path)


def test_the_recording_holds_all_of_the_run(recording: Recording) -> None:
    assert recording.cut is None
    assert recording.header["core"]["speed"] == 0.9
    made = recording.cycles
    np.testing.assert_array_equal(made["cycle"], np.arange(1, len(made) + 1))
    assert set(made["phase"]) == {Phase.HOLD, Phase.FOLLOW, Phase.BRAKE, Phase.FINISHED}
    assert reseeded(made) >= 900
    assert set(made["epoch"]) == {1, 2, 3}
    assert len(recording.chunks) == 5
    assert made["ring_index"][-1] == len(recording.ring) == 60 + 4 * 30 + 1


def test_a_recorded_run_is_played_again_bit_for_bit(recording: Recording) -> None:
    assert replay(recording) == (len(recording.cycles), None, [])


def test_the_command_says_so_in_one_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(path)]) == 0
    told = capsys.readouterr()
    count = f"{len(open_recording(path).cycles):,}".replace(",", " ")
    assert told.out == f"replayed {count} cycles: every command equal, bit for bit\n"
    assert told.err == ""


def reseeded(made: Records) -> int:
    return int(((made["flags"] & RESEEDED) != 0).argmax())


def first_that_follows(made: Records) -> int:
    return int((made["phase"] == Phase.FOLLOW).argmax())


def test_one_bit_of_one_state_is_found(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = recording.cycles.copy()
    row = reseeded(changed)  # the core goes on from the arm's own state
    flip_a_bit(changed["q_d"], (row, 2))
    run = planted(recording, tmp_path / "changed.rec", cycles=changed)
    found = replay(run).difference
    assert found is not None
    assert (found.row, found.cycle) == (row, changed["cycle"][row])
    assert (found.field, found.joint) == ("q_command", 3)
    assert abs(found.played - found.recorded) < 1e-14
    assert main(["replay", run.path]) == 1
    told = capsys.readouterr().out
    assert f"cycle {found.cycle} is the first that differs: the command of joint 3" in told
    assert "this very build" in told


def test_one_bit_of_one_action_is_found(recording: Recording, tmp_path: Path) -> None:
    changed = recording.ring.copy()
    flip_a_bit(changed["values"], (8, 0))
    found = replay(planted(recording, tmp_path / "changed.rec", ring=changed)).difference
    assert found is not None
    assert found.row >= first_that_follows(recording.cycles) - 1


@pytest.mark.parametrize("field", ["policy_step", "policy_rate"])
def test_one_bit_of_the_clock_is_found(recording: Recording, tmp_path: Path, field: str) -> None:
    changed = recording.cycles.copy()
    row = first_that_follows(changed) + 50
    flip_a_bit(changed[field], (row,))
    found = replay(planted(recording, tmp_path / "changed.rec", cycles=changed)).difference
    assert found is not None
    assert (found.row, found.field) == (row, field)


@pytest.mark.parametrize("field", ["phase", "flags", "epoch", "chunk_id"])
def test_another_decision_is_found(recording: Recording, tmp_path: Path, field: str) -> None:
    changed = recording.cycles.copy()
    changed[field][700] += 1
    found = replay(planted(recording, tmp_path / "changed.rec", cycles=changed)).difference
    assert found is not None
    assert (found.row, found.field, found.joint) == (700, field, None)
    assert found.recorded == found.played + 1


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


def test_a_run_with_other_options_of_the_motion_differs(
    recording: Recording, tmp_path: Path
) -> None:
    core = {**recording.header["core"], "speed": 0.8}
    run = planted(recording, tmp_path / "changed.rec", header={"core": core})
    assert replay(run).difference is not None


def test_the_outcome_can_be_had_as_json(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["equal"] is True
    assert told["cycles"] == len(open_recording(path).cycles)


def test_the_recorded_motion_can_be_drawn(path: Path, tmp_path: Path) -> None:
    picture = tmp_path / "run.png"
    assert main(["replay", str(path), f"--plot={picture}"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_run_that_ends_in_a_fault_is_played_again_up_to_it(tmp_path: Path) -> None:
    faults = {"fail_at_cycle": 700, "fail_with": "joint_motion_generator_velocity_limits_violation"}
    file = tmp_path / "fault.rec"
    robot_id = f"test-replay-{time.monotonic_ns()}"
    with recorded(file, robot_id, faults) as (robot, _):
        swing(robot)
        assert robot.status_at_end() == 5
    run = open_recording(file)
    assert run.done is not None
    (reflex,) = run.done["reflexes"]
    assert reflex["cycle"] == 700
    assert len(run.cycles) == 699
    assert replay(run) == (699, None, [])


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


def test_a_gap_is_no_run(recording: Recording, tmp_path: Path) -> None:
    from rt_infer.recording.writer import Writer

    writer = Writer(str(tmp_path / "gap.rec"), recording.header)
    writer.add(recording.ring, recording.cycles[:100])
    writer.add(recording.ring[:0], recording.cycles[150:], lost=50)
    writer.close({})
    with pytest.raises(RecordingError, match=r"lacks 50 cycles, somewhere around its cycle 101"):
        replay(open_recording(tmp_path / "gap.rec"))


def test_records_of_another_layout_are_refused(recording: Recording, tmp_path: Path) -> None:
    build = {**recording.header["build"], "layout_hash": "0x1", "version": "0.0.9"}
    run = planted(recording, tmp_path / "old.rec", header={"build": build})
    with pytest.raises(RecordingError, match=r"recorded by rt-infer 0\.0\.9"):
        replay(run)


def test_a_recording_without_what_was_pushed_is_refused(
    recording: Recording, tmp_path: Path
) -> None:
    run = planted(recording, tmp_path / "poor.rec", ring=recording.ring[:20])
    with pytest.raises(RecordingError, match="records of the ring, but 20 were pushed"):
        replay(run)


def test_states_that_are_no_numbers_are_refused(recording: Recording, tmp_path: Path) -> None:
    changed = recording.cycles.copy()
    changed["ddq_d"][10, 0] = float("inf")
    run = planted(recording, tmp_path / "odd.rec", cycles=changed)
    with pytest.raises(RecordingError, match="is no number"):
        replay(run)


def test_arrays_of_other_records_are_refused(recording: Recording) -> None:
    from rt_infer import _core

    player = _core.Replay(recording.header["core"])
    with pytest.raises(TypeError):
        player.push(cycles(3))


@pytest.mark.parametrize("words", [["/nowhere/run.rec"], [__file__]])
def test_what_cannot_be_played_is_one_sentence_and_exit_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *words]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("rt-infer: ")
    assert len(told.err.splitlines()) == 1
