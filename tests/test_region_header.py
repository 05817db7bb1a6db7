"""A stranger's view: a live region read through the public C header alone, by cffi."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest

from rt_infer import _core
from rt_infer.robot.core_process import CoreConfig, CoreProcess
from rt_infer.robot.header import load_cdef
from rt_infer.robot.region import CoreRegion, Phase

FPS = 25.0


@pytest.fixture(scope="module")
def ffi() -> cffi.FFI:
    ffi = cffi.FFI()
    ffi.cdef(load_cdef())
    return ffi


@pytest.fixture(scope="module")
def numbers(ffi: cffi.FFI) -> Any:
    """The header's #defines and enumerators."""
    return ffi.dlopen(None)


@pytest.fixture
def robot_id() -> Iterator[str]:
    robot = f"test-header-{os.getpid()}"
    yield robot
    for left in Path("/dev/shm").glob(f"rt-infer.{robot}*"):
        left.unlink()


@contextmanager
def watched(ffi: cffi.FFI, region: CoreRegion) -> Iterator[Any]:
    """The region as rti_region, mapped read-only by its name as any tool would."""
    fd = os.open(f"/dev/shm{region.name}", os.O_RDONLY)
    try:
        with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as mapped:
            with ffi.from_buffer(mapped) as buffer:
                yield ffi.cast("rti_region *", buffer)
    finally:
        os.close(fd)


def as_dict(struct: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Fields of a C struct by name; arrays as lists."""
    values = {name: getattr(struct, name) for name in names}
    return {
        name: list(value) if isinstance(value, cffi.FFI.CData) else value
        for name, value in values.items()
    }


def test_the_header_describes_a_live_region(ffi: cffi.FFI, numbers: Any, robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=FPS) as region, watched(ffi, region) as memory:
        header = memory.header
        assert header.magic == numbers.RTI_MAGIC
        assert header.published == numbers.RTI_ABI_VERSION == _core.ABI_VERSION
        assert header.layout_hash == numbers.RTI_LAYOUT_HASH
        assert header.header_size == ffi.sizeof("rti_header")
        assert header.total_size == ffi.sizeof("rti_region")
        assert os.fstat(region.fd).st_size == ffi.sizeof("rti_region")
        assert ffi.string(header.robot_id).decode() == robot_id
        assert header.creator_pid == os.getpid()
        assert (header.fps, header.generation) == (FPS, region.generation)
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
        assert bytes(header.boot_id).hex() == boot_id
        after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        assert header.creator_start_ticks == int(after_name[22 - 3])


def test_the_offsets_that_c_computes_are_those_that_cpp_wrote(
    ffi: cffi.FFI, numbers: Any, robot_id: str
) -> None:
    with CoreRegion.create(robot_id, fps=FPS) as region, watched(ffi, region) as memory:
        header = memory.header
        for part in ("ring", "mailbox", "stats", "telemetry"):
            offset = ffi.offsetof("rti_region", part)
            assert getattr(header, f"{part}_offset") == offset
            assert offset % numbers.RTI_LINE == 0
        assert header.dof == numbers.RTI_DOF
        assert header.ring_capacity == numbers.RTI_RING_CAPACITY == len(memory.actions)
        assert header.mailbox_cells == numbers.RTI_MAILBOX_CELLS == len(memory.cells)
        assert header.telemetry_capacity == numbers.RTI_TELEMETRY_CAPACITY == len(memory.slots)
        assert header.action_size == ffi.sizeof("rti_action")
        assert header.mailbox_cell_size == ffi.sizeof("rti_mailbox_cell")
        assert header.telemetry_slot_size == ffi.sizeof("rti_telemetry_slot")


def test_numpy_and_cffi_agree_on_a_telemetry_record(ffi: cffi.FFI) -> None:
    record = _core.record_dtype()
    assert record.itemsize == ffi.sizeof("rti_record")
    assert record.fields is not None
    offsets = {name: field[1] for name, field in record.fields.items()}
    fields = ffi.typeof("rti_record").fields
    in_c = {name: field.offset for name, field in fields if not name.startswith("pad")}
    assert offsets == in_c


def test_a_chunk_that_is_pushed_lies_in_the_ring_as_the_header_says(
    ffi: cffi.FFI, numbers: Any, robot_id: str
) -> None:
    actions = np.arange(3 * 8, dtype=np.float32).reshape(3, 8) / 8
    with CoreRegion.create(robot_id, fps=FPS) as region, watched(ffi, region) as memory:
        assert region.push_chunk(
            actions, epoch=5, chunk_id=9, capture_ns=-1, origin_step=2.5, received_ns=1 << 40
        )
        assert region.new_epoch()
        assert (memory.ring.write_index, memory.ring.read_index) == (4, 0)
        for i, values in enumerate(actions):
            record = memory.actions[i]
            assert record.kind == numbers.RTI_RECORD_ACTION
            assert (record.epoch, record.chunk_id, record.index, record.count) == (5, 9, i, 3)
            assert (record.capture_ns, record.received_ns) == (-1, 1 << 40)
            assert (record.origin_step, record.dim) == (2.5, 8)
            assert list(record.values)[:8] == values.tolist()
        assert memory.actions[3].kind == numbers.RTI_RECORD_NEW_EPOCH


def test_what_a_core_has_told_is_read_through_the_header(
    ffi: cffi.FFI, numbers: Any, robot_id: str
) -> None:
    with CoreRegion.create(robot_id, fps=FPS) as region, watched(ffi, region) as memory:
        with CoreProcess.start(
            region, CoreConfig(arm={"type": "sim_fr3", "patient": True}, fps=FPS)
        ) as core:
            while memory.telemetry.count < 50:
                core.heartbeat()
                time.sleep(0.01)
            core.finish()
            while core.poll() is None:
                time.sleep(0.01)
            assert core.poll() == 0

        # The core has ended: nothing is written any more, so plain reads are whole.
        state = region.state()
        assert state is not None
        newest = (memory.mailbox.count - 1) % numbers.RTI_MAILBOX_CELLS
        cell = ffi.cast("rti_state *", memory.cells[newest].words)
        assert cell.phase == numbers.RTI_PHASE_FINISHED == Phase.FINISHED
        same = ("cycle", "time_ns", "policy_step", "epoch", "epoch_since_ns", "chunk_id")
        assert as_dict(cell, same) == {name: getattr(state, name) for name in same}
        for name in ("q", "dq", "q_command"):
            assert list(getattr(cell, name)) == getattr(state, name).tolist()

        assert memory.stats.cycles == region.stats().cycles >= 50
        assert memory.stats.outcome == numbers.RTI_PHASE_FINISHED
        period = memory.stats.period
        assert sum(period.buckets) == period.count > 0

        records = region.telemetry().read()
        assert len(records) == memory.telemetry.count <= numbers.RTI_TELEMETRY_CAPACITY
        for n in range(len(records)):
            slot = memory.slots[n]
            assert slot.sequence == 2 * n + 2
            there = np.frombuffer(ffi.buffer(slot.words), records.dtype, count=1)[0]
            for name in records.dtype.names:  # not as bytes: padding is nobody's
                assert np.array_equal(there[name], records[n][name])


def test_the_cdef_keeps_every_declaration_and_every_number_of_the_header(numbers: Any) -> None:
    source = (Path(__file__).parents[1] / "csrc" / "include" / "rt_infer.h").read_text()
    defined = set(re.findall(r"#define (RTI_\w+)", source))
    assert len(defined) >= 10
    for name in defined:
        assert isinstance(getattr(numbers, name), int)


def test_the_header_stands_alone_in_c11(tmp_path: Path) -> None:
    source = tmp_path / "alone.c"
    source.write_text(
        '#include "rt_infer.h"\n'
        '_Static_assert(sizeof(rti_state) == sizeof(((rti_mailbox_cell*)0)->words), "cell");\n'
        '_Static_assert(sizeof(rti_record) == sizeof(((rti_telemetry_slot*)0)->words), "slot");\n'
        "int main(void) { return sizeof(rti_region) == 0; }\n"
    )
    include = Path(__file__).parents[1] / "csrc" / "include"
    strict = ["-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(
        ["gcc", *strict, f"-I{include}", "-o", str(tmp_path / "alone"), str(source)], check=True
    )
    subprocess.run([str(tmp_path / "alone")], check=True)
