"""The region's name, its lock, and what goes through it, with real shared memory and processes."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import posix_ipc
import pytest

from rt_infer import _core
from rt_infer.cli import main
from rt_infer.robot import claim
from rt_infer.robot.region import MAX_CHUNK, CoreRegion, RegionBusy
from rt_infer.robot.statistics import Histogram

SHM = Path("/dev/shm")
_serial = itertools.count()


@pytest.fixture
def robot_id() -> Iterator[str]:
    robot = f"test-{os.getpid()}-{next(_serial)}"
    yield robot
    for left in SHM.glob(f"rt-infer.{robot}*"):
        left.unlink()


@pytest.fixture
def owner() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts a process that owns a robot's region until it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(robot: str) -> subprocess.Popen[str]:
        script = (
            "import sys, time\n"
            "from rt_infer.robot.region import CoreRegion\n"
            "region = CoreRegion.create(sys.argv[1], 30.0)\n"
            "print('owned', flush=True)\n"
            "time.sleep(600)\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", script, robot], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def chunk(steps: int = 50) -> np.ndarray:
    return np.zeros((steps, 7), dtype=np.float32)


def push(region: CoreRegion, actions: np.ndarray, chunk_id: int = 1) -> bool:
    return region.push_chunk(
        actions, epoch=1, chunk_id=chunk_id, capture_ns=1, origin_step=0.0, received_ns=2
    )


def names(robot: str) -> list[str]:
    return sorted(path.name for path in SHM.glob(f"rt-infer.{robot}*"))


# ---------------------------------------------------------------- who owns a robot


def test_the_owner_takes_the_name_away_when_it_closes(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert names(robot_id) == [f"rt-infer.{robot_id}"]
        assert (region.robot_id, region.generation) == (robot_id, 1)
        assert region.creator_pid == os.getpid()
    assert names(robot_id) == []


def test_a_second_owner_is_refused_and_told_the_pid_of_the_first(
    robot_id: str, owner: Callable[[str], subprocess.Popen[str]]
) -> None:
    first = owner(robot_id)
    with pytest.raises(RegionBusy, match=rf"process {first.pid}\b"):
        CoreRegion.create(robot_id, fps=30.0, wait_s=0.1)


@pytest.fixture
def nobody() -> Iterator[None]:
    """For as long as this is open we are a user to whom permissions apply."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


@pytest.fixture
def locked_away(robot_id: str) -> str:
    """A robot whose region may not be opened, as another user's."""
    os.close(os.open(SHM / f"rt-infer.{robot_id}", os.O_CREAT | os.O_EXCL, 0))
    return robot_id


@pytest.mark.parametrize("start", [CoreRegion.open, lambda robot: CoreRegion.create(robot, 30.0)])
def test_a_robot_of_another_user_is_refused_in_one_sentence(
    locked_away: str, nobody: None, start: Callable[[str], CoreRegion]
) -> None:
    with pytest.raises(RegionBusy, match="another user"):
        start(locked_away)


def test_robots_of_different_names_do_not_meet(robot_id: str) -> None:
    with CoreRegion.create(f"{robot_id}-a", fps=30.0), CoreRegion.create(f"{robot_id}-b", fps=30.0):
        assert len(names(robot_id)) == 2


def test_what_a_killed_owner_left_is_replaced_by_the_next_generation(
    robot_id: str, owner: Callable[[str], subprocess.Popen[str]]
) -> None:
    first = owner(robot_id)
    first.kill()
    first.wait()
    assert names(robot_id) == [f"rt-infer.{robot_id}"]
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert region.generation == 2


def test_an_owner_on_its_way_out_is_waited_for(
    robot_id: str, owner: Callable[[str], subprocess.Popen[str]]
) -> None:
    first = owner(robot_id)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(CoreRegion.create, robot_id, 30.0, wait_s=60.0)
        first.send_signal(signal.SIGKILL)
        with second.result() as region:
            assert region.generation == 2


def test_the_start_of_any_robot_removes_what_dead_ones_left(
    robot_id: str, owner: Callable[[str], subprocess.Popen[str]]
) -> None:
    dead, alive = owner(f"{robot_id}-dead"), owner(f"{robot_id}-alive")
    dead.kill()
    dead.wait()
    with CoreRegion.create(f"{robot_id}-next", fps=30.0):
        assert names(robot_id) == [f"rt-infer.{robot_id}-alive", f"rt-infer.{robot_id}-next"]
    assert alive.poll() is None


def test_an_object_that_is_no_region_is_replaced_like_a_dead_one(robot_id: str) -> None:
    (SHM / f"rt-infer.{robot_id}").write_bytes(b"half a header")
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert region.generation == 1


def test_of_many_starters_at_a_dead_owners_name_one_wins(
    robot_id: str, owner: Callable[[str], subprocess.Popen[str]]
) -> None:
    dead = owner(robot_id)
    dead.kill()
    dead.wait()

    def start(_: int) -> CoreRegion | None:
        try:
            return CoreRegion.create(robot_id, fps=30.0, wait_s=0.2)
        except RegionBusy:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [region for region in pool.map(start, range(8)) if region is not None]
    assert len(winners) == 1
    assert winners[0].generation == 2
    assert names(robot_id) == [f"rt-infer.{robot_id}"]
    winners[0].close()


def test_a_newborn_that_a_sweep_has_removed_is_born_again(
    robot_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest_lock = claim._lock
    swept: list[str] = []

    def lock(fd: int, name: str) -> bool:
        if "~" in name and not swept:  # a sweep comes just before the lock
            swept.append(name)
            posix_ipc.unlink_shared_memory(name)
        return honest_lock(fd, name)

    monkeypatch.setattr(claim, "_lock", lock)
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert swept
        assert region.generation == 1
        assert names(robot_id) == [f"rt-infer.{robot_id}"]


def test_an_owner_leaves_a_name_that_is_no_longer_its_own(robot_id: str) -> None:
    first = CoreRegion.create(robot_id, fps=30.0)
    posix_ipc.unlink_shared_memory(first.name)  # somebody tidied up by hand
    with CoreRegion.create(robot_id, fps=30.0):
        first.close()
        assert names(robot_id) == [f"rt-infer.{robot_id}"]


@pytest.mark.parametrize("bad", ["", "a/b", "../a", ".hidden", "a b", "x" * 49, "a~b"])
def test_an_id_that_is_no_name_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot be a name"):
        CoreRegion.create(bad, fps=30.0)


def test_a_region_of_no_rate_leaves_nothing_behind(robot_id: str) -> None:
    with pytest.raises(_core.RegionError, match="fps"):
        CoreRegion.create(robot_id, fps=0.0)
    assert names(robot_id) == []


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


def test_before_a_core_has_come_there_is_nothing_to_read(robot_id: str) -> None:
    with CoreRegion.create(robot_id, fps=30.0) as region:
        assert region.state() is None
        assert len(region.telemetry().read()) == 0
        stats = region.stats()
        assert (stats.cycles, stats.outcome, stats.reflexes) == (0, None, ())
        assert stats.period.percentile_us(99.9) == 0.0


def test_a_telemetry_record_in_numpy_has_the_size_it_has_in_the_header() -> None:
    dtype = _core.record_dtype()
    assert dtype.itemsize == 22 * 8  # rti_telemetry_slot.words
    assert dtype.fields is not None
    assert dtype.fields["q"][0].shape == (7,)


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
    assert not list(SHM.glob(f"rt-infer.{robot_id}*"))
