"""What goes through a region, who watches it, and what it counts: real shared memory."""

from __future__ import annotations

import numpy as np
import pytest
from core_rig import chunk, names, push, robot_id

from rt_infer import _core
from rt_infer.cli import main
from rt_infer.robot.region import MAX_CHUNK, CoreRegion
from rt_infer.robot.statistics import Histogram

__all__ = ["robot_id"]  # a fixture


# ---------------------------------------------------------------- who watches


def test_watching_a_robot_that_nobody_drives_says_so(robot_id: str) -> None:
    with pytest.raises(FileNotFoundError, match=robot_id):
        CoreRegion.open(robot_id)


def test_a_watcher_sees_the_region_and_can_write_nothing(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=25.0), CoreRegion.open(robot_id) as watcher:
        assert watcher.robot_id == robot_id
        with pytest.raises(_core.RegionError, match="read-only"):
            push(watcher, chunk())
    assert names(robot_id) == []


def test_a_watcher_does_not_keep_the_robot_taken(robot_id: str) -> None:
    region = CoreRegion.create(robot_id, fps=30.0)
    with CoreRegion.open(robot_id):
        region.close()
        with CoreRegion.create(robot_id, fps=30.0, wait_s=0.0):
            pass


# ---------------------------------------------------------------- what goes through it


def test_a_full_ring_refuses_a_chunk_whole(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert push(region, chunk(MAX_CHUNK))
        assert push(region, chunk(MAX_CHUNK))
        assert not push(region, chunk(1))
        assert not region.new_epoch()


@pytest.mark.parametrize(
    "actions",
    [
        np.zeros(7),
        np.zeros((0, 7)),
        np.zeros((MAX_CHUNK + 1, 7)),
        np.zeros((5, 6)),
        np.zeros((5, 17)),
        np.full((5, 7), np.nan),
        np.full((5, 7), np.inf),
        np.full((5, 7), 1e300),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_what_is_no_chunk_is_refused_and_queues_nothing(robot_id: str, actions: np.ndarray) -> None:
    with CoreRegion.create(robot_id, fps=30.0) as region:
        with pytest.raises(ValueError, match="chunk"):
            push(region, actions)
        assert push(region, chunk(MAX_CHUNK))  # there is still room for two
        assert push(region, chunk(MAX_CHUNK))


def test_what_was_pushed_is_handed_out_once_and_as_the_core_gets_it(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=30.0) as region:
        with pytest.raises(ValueError, match="keep_pushed"):
            region.pushed()
        region.keep_pushed()
        assert push(region, chunk(3) + np.float32(0.1), chunk_id=7)
        assert region.new_epoch()
        assert push(region, chunk(MAX_CHUNK), chunk_id=8)
        assert not push(region, chunk(MAX_CHUNK), chunk_id=9)  # the ring is full
        pushed = region.pushed()
        assert len(pushed) == 3 + 1 + MAX_CHUNK
        assert pushed.dtype == _core.action_dtype()
        assert pushed["chunk_id"][:4].tolist() == [7, 7, 7, 0]
        assert pushed["kind"][:4].tolist() == [1, 1, 1, 2]
        assert pushed["values"][2, :8].tolist() == [float(np.float32(0.1))] * 7 + [0.0]
        assert len(region.pushed()) == 0


def test_before_a_core_has_come_there_is_nothing_to_read(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert region.state() is None
        assert len(region.telemetry().read()) == 0
        stats = region.stats()
        assert (stats.cycles, stats.outcome, stats.reflexes) == (0, None, ())
        assert stats.period.percentile_us(99.9) == 0.0


def test_a_telemetry_record_in_numpy_has_the_size_it_has_in_the_header() -> None:
    dtype = _core.record_dtype()
    assert dtype.itemsize == 45 * 8  # rti_telemetry_slot.words
    assert dtype.fields is not None
    assert dtype.fields["q"][0].shape == (7,)
    assert _core.action_dtype().itemsize == 192


def test_percentiles_are_within_a_bucket_of_the_truth() -> None:
    buckets = np.zeros(1280, dtype=np.uint64)
    buckets[10] = 99  # 10 ns exactly: below 64 ns each duration has a bucket of its own
    buckets[40] = 1
    histogram = Histogram(count=100, max_ns=40, sum_ns=99 * 10 + 40, buckets=buckets)
    assert histogram.percentile_us(50) == pytest.approx(0.010)
    assert histogram.percentile_us(99) == pytest.approx(0.010)
    assert histogram.percentile_us(99.9) == pytest.approx(0.040)
    assert histogram.mean_us == pytest.approx(0.0103)


def test_a_run_without_room_for_its_memory_ends_with_a_sentence(
    robot_id: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(fd: int, robot: str, fps: float, generation: int) -> None:
        raise _core.RegionError("There is no room for the robot's shared memory: make some.")

    monkeypatch.setattr(_core.Region, "format", staticmethod(full))
    words = ["robot", "--robot.type=sim_fr3", f"--robot.id={robot_id}", "--policy_type=hold"]
    assert main(words) == 5
    said = capfd.readouterr().err
    assert said == "rt-infer: There is no room for the robot's shared memory: make some.\n"
    assert names(robot_id) == []
