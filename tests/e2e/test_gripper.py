"""The gripper of a whole run: a policy opens and closes it, and every stop leaves it as it is.

The device is at the other end of a real serial line; when it was told to move is compared with the
core's own record of the policy's steps.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from gripping_policy import STEPS, SWITCH
from processes import Program, RobotProgram, ServerProgram, assert_sound_motion, at_rest, wait_until

from rt_infer.recording import open as open_recording
from rt_infer.robot.region import Phase

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from modbus_slave import RobotiqSlave

POLICY = ("--policy_type=python", "--pretrained_name_or_path=gripping_policy:make")
# A chunk is asked for when the one before is over, so that each is followed to its last step.
ONE_BY_ONE = "--chunk_size_threshold=0"
SHUT, OPEN = 255, 0


@pytest.fixture
def server(tmp_path: Path, started: list[Program]) -> ServerProgram:
    program = ServerProgram(
        tmp_path,
        words=[f"--allow_python=gripping_policy:{factory}" for factory in ("make", "make_closing")],
    )
    started.append(program)
    return program


@pytest.fixture
def slave() -> Iterator[RobotiqSlave]:
    with RobotiqSlave() as made:
        yield made


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Where the robot's run is recorded."""
    return tmp_path / "run.rec"


@pytest.fixture
def robot(
    server: ServerProgram,
    slave: RobotiqSlave,
    start_robot: Callable[..., RobotProgram],
    recording: Path,
) -> RobotProgram:
    """A robot with the gripper at the end of the line."""
    gripper = f"--robot.gripper={{type: robotiq_2f, port: {slave.path}}}"
    return start_robot(server.port, *POLICY, ONE_BY_ONE, gripper, f"--record={recording}")


def cycle_at(cycles: np.ndarray, time_ns: int) -> np.void:
    """The newest of the core's records at that time."""
    return cycles[np.searchsorted(cycles["time_ns"], time_ns) - 1]


def proc_status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


def moves(slave: RobotiqSlave, count: int) -> list[tuple[int, int]]:
    """The first moves that the gripper was told, once there are so many."""
    return wait_until(f"{count} moves", lambda: slave.moves[count - 1 :] and slave.moves[:count])


def test_the_gripper_moves_when_the_arm_has_come_to_the_policys_step(
    robot: RobotProgram, slave: RobotiqSlave, recording: Path
) -> None:
    told = moves(slave, 4)
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert [goto for _, goto in told] == [OPEN, SHUT, OPEN, SHUT]
    run = open_recording(recording)
    chunks = {chunk.id: chunk for chunk in run.chunks}
    for time_ns, _ in told[1:]:
        now = cycle_at(run.cycles, time_ns)
        assert SWITCH <= now["policy_step"] - chunks[now["chunk_id"]].origin_step < STEPS
    assert robot.report["tools"]["gripper"]["commands"] == len(slave.moves)
    assert_sound_motion(robot.report)


def test_an_arm_that_was_stopped_moves_no_gripper_until_it_follows_something_new(
    server: ServerProgram, slave: RobotiqSlave, start_robot: Callable[..., RobotProgram]
) -> None:
    closing = "--pretrained_name_or_path=gripping_policy:make_closing"
    gripper = f"--robot.gripper={{type: robotiq_2f, port: {slave.path}}}"
    robot = start_robot(server.port, "--policy_type=python", closing, ONE_BY_ONE, gripper)
    with robot.region() as region:
        robot.until(region, "it is on its way", lambda now: now.policy_step > 3)
        robot.signal(signal.SIGSTOP)
        wait_until("it sleeps", lambda: "T (stopped)" in proc_status(robot.pid))
        asleep = region.state()
        assert asleep is not None
        told = len(slave.moves)
        rest = robot.until(region, "the arm rests", at_rest)  # the core brakes after a while
        assert rest.policy_step > asleep.policy_step + 10
        robot.signal(signal.SIGCONT)
        new = robot.until(region, "a new epoch", lambda now: now.epoch > asleep.epoch)
        wait_until("a new move", lambda: slave.moves and slave.moves[-1][0] > new.epoch_since_ns)
    after = slave.moves[told:]
    first_new = next(i for i, (time_ns, _) in enumerate(after) if time_ns > new.epoch_since_ns)
    # What was decided before it slept may still be on its way; else nearly open, as the new chunk
    # begins. Where the arm has come to rest in between, the fingers would be further shut.
    farthest = max(SHUT * asleep.policy_step / STEPS + 10, 60)
    assert all(goto < farthest for _, goto in after[: first_new + 1])
    assert robot.process.poll() is None


def test_a_gripper_that_stops_answering_ends_the_run_in_order(
    robot: RobotProgram, slave: RobotiqSlave
) -> None:
    with robot.region() as region:
        robot.until_moving(region)
        slave.spoil = ["unplugged"]
        assert robot.wait() == 5, robot.errors
        last = region.state()
    assert last is not None
    assert last.phase is Phase.FINISHED
    assert f"The gripper stopped answering at {slave.path}" in robot.errors
    assert "Traceback" not in robot.errors
    assert robot.report["outcome"] == "fault"
    assert_sound_motion(robot.report)


def test_a_run_that_ends_leaves_the_gripper_as_it_is(
    robot: RobotProgram, slave: RobotiqSlave
) -> None:
    moves(slave, 2)
    robot.signal(signal.SIGTERM)
    assert robot.wait() == 0, robot.errors
    assert (slave.goto, slave.activation) == (SHUT, 3)


def test_a_gripper_that_is_not_there_is_told_before_anything_moves(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    nowhere = "--robot.gripper={type: robotiq_2f, port: /dev/ttyUSB-none}"
    robot = start_robot(server.port, *POLICY, nowhere)
    assert robot.wait() == 5
    assert "There is no port /dev/ttyUSB-none" in robot.errors
    assert "Traceback" not in robot.errors


def test_the_simulated_gripper_opens_and_closes_too(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    words = ("--robot.gripper={type: sim}", "--duration_s=6")
    robot = start_robot(server.port, *POLICY, ONE_BY_ONE, *words)
    assert robot.wait() == 0, robot.errors
    assert robot.report["tools"]["gripper"]["commands"] >= 3
    assert_sound_motion(robot.report)


def test_a_policy_for_a_gripper_is_not_given_an_arm_without_one(
    server: ServerProgram, start_robot: Callable[..., RobotProgram]
) -> None:
    robot = start_robot(server.port, *POLICY)
    assert robot.wait() == 4
    assert "gripper.pos" in robot.errors
