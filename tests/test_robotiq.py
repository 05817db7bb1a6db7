"""A Robotiq 2F at the end of a real serial line: activation, commands, faults, lost cables."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from modbus_slave import MEET, OPEN, RobotiqSlave

from rt_infer.grippers import robotiq
from rt_infer.grippers.base import GripperError, Reading
from rt_infer.grippers.commands import CommandRule
from rt_infer.grippers.driver import GripperDriver
from rt_infer.grippers.robotiq import FAULTS, RobotiqConfig, RobotiqGripper
from rt_infer.grippers.serial_port import why_not


@pytest.fixture
def slave() -> Iterator[RobotiqSlave]:
    with RobotiqSlave() as made:
        yield made


def opened(
    slave: RobotiqSlave, say: Callable[[str], None] = print, **options: float
) -> RobotiqGripper:
    gripper = RobotiqConfig(port=slave.path, **options).build()  # type: ignore[arg-type]
    gripper.open(threading.Event(), say)
    return gripper


def settled(gripper: RobotiqGripper) -> Reading:
    """Its reading once the fingers stand still."""
    last = gripper.read()
    while (now := gripper.read()) != last:
        last = now
    return now


def test_a_gripper_that_is_active_is_not_activated_again(slave: RobotiqSlave) -> None:
    slave.position = slave.goto = 120  # and keeps what it holds
    said: list[str] = []
    gripper = opened(slave, said.append)
    assert (slave.activations, slave.moves, said) == (0, [], [])
    assert 0.4 < gripper.read().position < 0.6
    gripper.close()
    assert slave.position == 120


def test_a_gripper_that_is_not_active_is_activated_and_the_user_told() -> None:
    said: list[str] = []
    with RobotiqSlave(active=False) as slave:
        slave.polls_until_active = 20
        opened(slave, said.append).close()
        assert (slave.activations, slave.activation) == (1, 3)
    assert said == ["The gripper is being activated: its fingers open and close."]


def test_shut_and_open_are_the_ends_of_its_register_and_our_ends(slave: RobotiqSlave) -> None:
    gripper = opened(slave, speed=0.5, force=1.0)
    gripper.command(0.0)
    assert settled(gripper).position == 0.0
    assert slave.position == MEET
    gripper.command(1.0)
    assert settled(gripper).position == 1.0
    assert slave.position == OPEN
    assert [goto for _, goto in slave.moves] == [255, 0]
    assert (slave.speed, slave.force) == (128, 255)


def test_it_measures_what_was_commanded(slave: RobotiqSlave) -> None:
    gripper = opened(slave)
    for position in (0.1, 0.35, 0.5, 0.8):
        gripper.command(position)
        assert settled(gripper).position == pytest.approx(position, abs=0.51 / 227)


def test_fingers_that_were_stopped_hold_something(slave: RobotiqSlave) -> None:
    gripper = opened(slave)
    assert not gripper.read().holding
    slave.object_at = 150
    gripper.command(0.0)
    reading = settled(gripper)
    assert reading.holding
    assert reading.position == pytest.approx((230 - 150) / 227)
    gripper.command(1.0)
    assert not settled(gripper).holding


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_is_a_sentence(fault: int, slave: RobotiqSlave) -> None:
    gripper = opened(slave)
    slave.fault = fault
    with pytest.raises(GripperError) as caught:
        gripper.read()
    assert f"0x{fault:02X}: {FAULTS[fault]}" in str(caught.value)


def test_a_fault_of_the_optional_controller_is_none_of_the_gripper(slave: RobotiqSlave) -> None:
    gripper = opened(slave)
    slave.fault = 0x50
    assert gripper.read().position == 1.0


def test_having_been_silent_for_a_second_is_no_fault(slave: RobotiqSlave) -> None:
    slave.fault = 0x09
    gripper = opened(slave)
    assert gripper.read().position == 1.0
    assert slave.activations == 0


def test_a_fault_from_before_is_cleared_by_activating(slave: RobotiqSlave) -> None:
    slave.fault = 0x0E
    opened(slave).close()
    assert (slave.activations, slave.fault) == (1, 0)


def test_a_gripper_that_lost_its_power_is_not_activated_behind_the_users_back(
    slave: RobotiqSlave,
) -> None:
    gripper = opened(slave)
    slave.activation = 0
    with pytest.raises(GripperError, match="without power"):
        gripper.read()
    assert slave.activations == 0


def test_an_activation_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with RobotiqSlave(active=False) as slave:
        slave.polls_until_active = 10**6
        monkeypatch.setattr(robotiq, "_ACTIVATION_S", 0.2)
        with pytest.raises(GripperError, match="nothing is in the way"):
            opened(slave)


def test_who_stops_a_run_does_not_wait_for_the_activation() -> None:
    with RobotiqSlave(active=False) as slave:
        slave.polls_until_active = 10**6
        driver = GripperDriver(
            RobotiqConfig(port=slave.path).build(), CommandRule(0.02, None), print
        )
        driver.start()
        while not slave.activations:
            time.sleep(0.001)
        driver.stop()
        assert driver.trouble is None
        assert not driver._thread.is_alive()


def test_a_cable_that_is_pulled_is_told_and_not_waited_for(slave: RobotiqSlave) -> None:
    driver = GripperDriver(RobotiqConfig(port=slave.path).build(), CommandRule(0.02, None), print)
    driver.start()
    driver.wait_until_open(lambda: False)
    slave.spoil = ["", "unplugged"]
    while driver.trouble is None:
        time.sleep(0.001)
    assert f"stopped answering at {slave.path}" in driver.trouble
    assert "check its cable" in driver.trouble
    driver.stop()


def test_silence_in_the_middle_of_a_run_is_told(slave: RobotiqSlave) -> None:
    gripper = opened(slave)
    slave.spoil = ["silent"] * 10
    with pytest.raises(GripperError, match=r"stopped answering at /dev/pts/\d+ \(no answer\)"):
        gripper.command(0.0)


def test_a_port_where_nothing_answers_is_told(slave: RobotiqSlave) -> None:
    slave.spoil = ["silent"] * 10
    with pytest.raises(GripperError, match=r"No gripper answers at .*24 V"):
        opened(slave)


def test_another_modbus_device_is_not_taken_for_a_gripper(slave: RobotiqSlave) -> None:
    slave.spoil = ["refused"]
    with pytest.raises(GripperError, match="No gripper answers"):
        opened(slave)


def test_a_port_that_is_not_there_is_told() -> None:
    gripper = RobotiqConfig(port="/dev/ttyUSB-none").build()
    with pytest.raises(GripperError, match="There is no port /dev/ttyUSB-none; plug in"):
        gripper.open(threading.Event(), print)


def test_a_port_that_another_program_holds_is_told(slave: RobotiqSlave) -> None:
    first = opened(slave)
    with pytest.raises(GripperError, match="Another program holds"):
        opened(slave)
    first.close()
    opened(slave).close()


def test_a_file_that_is_no_serial_port_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(GripperError, match="cannot be used as a serial port"):
        RobotiqConfig(port=str(path)).build().open(threading.Event(), print)


def test_a_port_that_this_user_may_not_open_names_its_group(slave: RobotiqSlave) -> None:
    sentence = why_not(slave.path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    assert "This user may not open" in sentence
    assert "usermod -aG" in sentence
