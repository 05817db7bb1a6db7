"""A recorded run is played again bit for bit, and what was changed since is found."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from recorded_runs import path, recorded, recording, swing
from recordings import Records, cycles, flip_a_bit, planted

from rt_infer.cli import main
from rt_infer.recording import Recording, RecordingError
from rt_infer.recording import open as open_recording
from rt_infer.recording.replay import replay
from rt_infer.robot.region import Phase

__all__ = ["path", "recording"]  # fixtures

RESEEDED = 4  # RTI_CYCLE_RESEEDED: the arm is not where it was commanded


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


def test_a_run_with_other_options_of_the_motion_differs(
    recording: Recording, tmp_path: Path
) -> None:
    core = {**recording.header["core"], "speed": 0.8}
    run = planted(recording, tmp_path / "changed.rec", header={"core": core})
    assert replay(run).difference is not None


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
