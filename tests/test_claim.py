"""Who drives which robot: the region's name and its lock, with real shared memory and processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import posix_ipc
import pytest
from core_rig import SHM, names, robot_id

from rt_infer import _core
from rt_infer.robot import claim
from rt_infer.robot.region import CoreRegion, RegionBusy

__all__ = ["robot_id"]  # a fixture


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
