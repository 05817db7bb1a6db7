"""Modbus RTU over a real serial line, with a slave that speaks it on its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st
from modbus_slave import RobotiqSlave, crc16

from rt_infer.grippers.modbus import ATTEMPTS, ModbusError, ModbusLine, crc
from rt_infer.grippers.serial_port import open_port

# Requests and answers that Robotiq's manual prints, byte by byte.
PRINTED = [
    "09 10 03 E8 00 03 06 00 00 00 00 00 00 73 30",
    "09 10 03 E8 00 03 06 09 00 00 FF FF FF 42 29",
    "09 10 03 E8 00 03 06 09 00 00 00 FF FF 72 19",
    "09 10 03 E8 00 03 01 30",
    "09 03 07 D0 00 01 85 CF",
    "09 03 07 D0 00 03 04 0E",
    "09 03 06 39 00 00 FF 0E 0A F7 8B",
    "09 03 06 F9 00 00 00 0D 00 56 4C",
]


@pytest.fixture
def slave() -> Iterator[RobotiqSlave]:
    with RobotiqSlave() as made:
        yield made


@pytest.fixture
def port(slave: RobotiqSlave) -> Iterator[serial.Serial]:
    with open_port(slave.path, 115200, 0.05) as opened:
        yield opened


@pytest.mark.parametrize("frame", PRINTED)
def test_the_check_is_the_one_that_the_manual_prints(frame: str) -> None:
    data = bytes.fromhex(frame)
    assert crc(data[:-2]) == data[-2:] == crc16(data[:-2])


@given(st.binary(max_size=64))
def test_the_check_is_the_textbooks(data: bytes) -> None:
    assert crc(data) == crc16(data)


def test_what_goes_out_is_what_the_manual_prints(slave: RobotiqSlave, port: serial.Serial) -> None:
    line = ModbusLine(port, 9)
    line.write_registers(0x03E8, [0x0900, 0x00FF, 0xFFFF])
    line.read_registers(0x07D0, 3)
    assert [frame.hex(" ").upper() for frame in slave.requests] == [PRINTED[1], PRINTED[5]]


def test_registers_are_read_and_written(slave: RobotiqSlave, port: serial.Serial) -> None:
    line = ModbusLine(port, 9)
    line.write_registers(0x03E8, [0x0900, 100, 0x40C0])
    assert (slave.goto, slave.speed, slave.force) == (100, 0x40, 0xC0)
    registers = line.read_registers(0x07D0, 3)
    assert registers[1] == 100
    assert registers[2] >> 8 == slave.position


@pytest.mark.parametrize("spoilt", ["silent", "half", "flipped", "noise", "stranger", "busy"])
def test_a_spoilt_answer_is_asked_for_again(
    spoilt: str, slave: RobotiqSlave, port: serial.Serial
) -> None:
    slave.spoil = [spoilt] * (ATTEMPTS - 1)
    assert ModbusLine(port, 9).read_registers(0x07D0, 3)[2] >> 8 == slave.position
    assert len(slave.requests) == ATTEMPTS


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("silent", "no answer"),
        ("half", "half an answer"),
        ("flipped", "noise"),
        ("noise", "noise"),
        ("stranger", "noise"),
        ("busy", "busy"),
    ],
)
def test_spoilt_answers_without_end_are_an_error_that_says_which(
    spoilt: str, told: str, slave: RobotiqSlave, port: serial.Serial
) -> None:
    slave.spoil = [spoilt] * 2 * ATTEMPTS
    line = ModbusLine(port, 9)
    with pytest.raises(ModbusError, match=told):
        line.read_registers(0x07D0, 3)
    with pytest.raises(ModbusError, match=told):
        line.write_registers(0x03E8, [0x0900, 0, 0])
    assert len(slave.requests) == 2 * ATTEMPTS
    assert line.read_registers(0x07D0, 3)[2] >> 8 == slave.position  # the line is clean again


def test_a_refusal_is_believed_the_first_time(slave: RobotiqSlave, port: serial.Serial) -> None:
    with pytest.raises(ModbusError, match="no such register"):
        ModbusLine(port, 9).read_registers(0x1234, 1)
    slave.spoil = ["refused"]
    with pytest.raises(ModbusError, match="not with this value"):
        ModbusLine(port, 9).write_registers(0x03E8, [0x0900, 0, 0])
    assert len(slave.requests) == 2


def test_another_address_hears_nothing(slave: RobotiqSlave, port: serial.Serial) -> None:
    with pytest.raises(ModbusError, match="no answer"):
        ModbusLine(port, 10).read_registers(0x07D0, 3)
    assert len(slave.requests) == ATTEMPTS
