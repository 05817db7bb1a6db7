"""The file of a recording: what is written is read, and what is missing is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from recordings import DONE, HEADER, chunk, cycles, joined, new_epoch, nothing

import rt_infer.recording
from rt_infer import _core
from rt_infer.recording import Gap, RecordingError, blocks
from rt_infer.recording.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.rec"


def write_a_run(path: Path) -> None:
    writer = Writer(str(path), HEADER)
    writer.add(nothing(_core.action_dtype()), cycles(50))
    writer.add(joined(chunk(1), new_epoch(), chunk(2, 30, 7)), cycles(50, 51))
    writer.add(chunk(3), nothing(_core.record_dtype()))
    writer.add(nothing(_core.action_dtype()), cycles(20, 101))
    writer.close(DONE)
    assert writer.ended is None
    assert writer.bytes == path.stat().st_size


def test_what_is_written_is_read(path: Path) -> None:
    write_a_run(path)
    run = rt_infer.recording.open(path)
    assert run.header == HEADER
    assert run.done == DONE
    assert (run.cut, run.gaps) == (None, [])
    assert run.cycles.dtype == _core.record_dtype()
    np.testing.assert_array_equal(run.cycles["cycle"], np.arange(1, 121))
    np.testing.assert_array_equal(run.cycles["q_command"][50:100], cycles(50, 51)["q_command"])
    np.testing.assert_allclose(run.time_s, np.arange(120) / 1000)
    pushed = joined(chunk(1), new_epoch(), chunk(2, 30, 7), chunk(3))
    for name in _core.action_dtype().names or ():
        np.testing.assert_array_equal(run.ring[name], pushed[name])


def test_chunks_are_read_as_the_core_got_them(path: Path) -> None:
    write_a_run(path)
    first, second, third = rt_infer.recording.open(path).chunks
    assert (first.id, first.epoch, first.origin_step) == (1, 3, 10.5)
    assert (third.capture_ns, third.received_ns) == (3000, 3070)
    np.testing.assert_array_equal(first.actions, chunk(1)["values"][:, :8])
    assert second.actions.shape == (30, 7)


def test_a_file_that_is_cut_off_anywhere_is_read_up_to_its_last_whole_block(path: Path) -> None:
    write_a_run(path)
    whole = path.read_bytes()
    counts = []
    for length in range(len(blocks.MAGIC), len(whole), 97):
        path.write_bytes(whole[:length])
        try:
            run = rt_infer.recording.open(path)
        except RecordingError as error:
            assert "cut off before the run began" in str(error)
            continue
        assert run.done is None
        counts.append(len(run.cycles))
        assert f"the run's first {counts[-1]} cycles" in (run.cut or "")
        np.testing.assert_array_equal(run.cycles["cycle"], np.arange(1, counts[-1] + 1))
    assert sorted(set(counts)) == [0, 50, 100, 120]
    assert counts == sorted(counts)


def test_a_run_that_could_not_say_how_it_ended_counts_as_cut_off(path: Path) -> None:
    writer = Writer(str(path), HEADER)
    writer.add(chunk(1), cycles(50))
    writer.close(None)
    run = rt_infer.recording.open(path)
    assert len(run.cycles) == 50
    assert "not closed" in (run.cut or "")


def test_nothing_is_read_from_a_damaged_byte_on(path: Path) -> None:
    write_a_run(path)
    damaged = bytearray(path.read_bytes())
    damaged[-9000] ^= 0x10  # in the last cycles
    path.write_bytes(damaged)
    run = rt_infer.recording.open(path)
    assert len(run.cycles) == 100
    assert "damaged" in (run.cut or "")


def test_a_disk_full_of_zeros_after_a_crash_is_no_block(path: Path) -> None:
    write_a_run(path)
    with path.open("ab") as file:
        file.write(bytes(4096))
    run = rt_infer.recording.open(path)
    assert len(run.cycles) == 120
    assert run.cut is not None


def test_a_block_of_a_later_version_is_passed_over(path: Path) -> None:
    write_a_run(path)
    header = blocks.MAGIC + blocks.pack_json(blocks.HEAD, HEADER)
    rest = path.read_bytes()[len(header) :]
    path.write_bytes(header + blocks.pack(b"PICT", bytes(64)) + rest)
    run = rt_infer.recording.open(path)
    assert (len(run.cycles), run.cut) == (120, None)


def test_cycles_that_were_lost_leave_a_gap_that_is_told(path: Path) -> None:
    writer = Writer(str(path), HEADER)
    writer.add(nothing(_core.action_dtype()), cycles(50))
    writer.add(nothing(_core.action_dtype()), cycles(50, 70), lost=19)
    writer.add(nothing(_core.action_dtype()), cycles(50, 120), lost=19)
    writer.close(DONE)
    run = rt_infer.recording.open(path)
    assert run.gaps == [Gap(part=1, lost=19)]
    assert len(run.cycles) == 150


@pytest.mark.parametrize("content", [b"", b"RTI", b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_another_file_is_no_recording(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"is no recording of rt-infer; name a file"):
        rt_infer.recording.open(path)


def test_a_later_form_is_refused_with_its_name(path: Path) -> None:
    header = {**HEADER, "schema": "rt-infer.recording/2"}
    path.write_bytes(blocks.MAGIC + blocks.pack_json(blocks.HEAD, header))
    with pytest.raises(RecordingError, match=r"rt-infer\.recording/2"):
        rt_infer.recording.open(path)


@pytest.mark.parametrize(
    "layout",
    [
        {"itemsize": 8, "fields": [["cycle", "|O", [], 0]]},  # pointers of somebody else
        {"itemsize": 8, "fields": [["cycle", "<u8", [], 4]]},
        {"fields": 3},
    ],
)
def test_records_that_are_no_numbers_are_refused(path: Path, layout: object) -> None:
    header = {**HEADER, "cycle_record": layout}
    path.write_bytes(blocks.MAGIC + blocks.pack_json(blocks.HEAD, header))
    with pytest.raises(RecordingError, match="how its records look"):
        rt_infer.recording.open(path)


def test_records_that_do_not_fit_their_block_are_refused(path: Path) -> None:
    head = blocks.pack_json(blocks.HEAD, HEADER)
    path.write_bytes(blocks.MAGIC + head + blocks.pack(blocks.CYCLES, bytes(368)))
    with pytest.raises(RecordingError, match="another size"):
        rt_infer.recording.open(path)


def test_the_layout_in_the_header_is_that_of_the_records() -> None:
    for dtype in (_core.record_dtype(), _core.action_dtype()):
        told = json.loads(json.dumps(blocks.dtype_to_json(dtype)))
        assert blocks.dtype_from_json(told) == dtype


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full disk")
def test_a_full_disk_ends_the_recording_in_a_sentence() -> None:
    writer = Writer("/dev/full", HEADER)
    for first in range(1, 500, 50):
        writer.add(chunk(first), cycles(50, first))
    writer.close(DONE)
    assert writer.ended is not None
    assert "No space left on device" in writer.ended
    assert writer.bytes == 0


def test_a_disk_that_does_not_answer_holds_nobody_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    stuck = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # nobody ever reads from it
    writer = Writer(str(pipe), HEADER)
    added = 0
    while writer.ended is None:
        writer.add(chunk(1, 1), cycles(50, 50 * added + 1))
        added += 1
        assert added < 5000
    assert "too slow" in writer.ended
    assert added > 500  # a minute's worth of patience
    os.close(stuck)
    writer.close(DONE)
