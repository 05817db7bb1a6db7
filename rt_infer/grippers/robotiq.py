"""Robotiq 2F-85 and 2F-140 on their RS-485 cable: Modbus RTU, slave 9, 115200 bit/s, 8N1.

Registers, one byte each half (2F-85 & 2F-140 Instruction Manual, Robotiq, chapter 4):

    written  0x03E8  action | 0        action: rACT 0x01 active, rGTO 0x08 go to rPR
             0x03E9  0 | rPR position
             0x03EA  rSP speed | rFR force
    read     0x07D0  status | 0        status: gACT 0x01, gGTO 0x08, gSTA, gOBJ
             0x07D1  fault | echo of rPR
             0x07D2  gPO position | gCU current

    gSTA (bits 4, 5)  0 reset, 1 activating, 3 active
    gOBJ (bits 6, 7)  0 moving, 1 stopped by something while opening, 2 while closing, 3 arrived
    fault, low half   gFLT, see `FAULTS`; its high half belongs to an optional controller

The gripper counts 0 open to 255 shut, we 0 shut to 1 open. Its fingers reach neither end: they meet
at about 230 and are wide open at about 3 (Robotiq's own word). So positions between are measured on
that scale, and the two ends are commanded as 255 and 0, so that shut is shut whatever the fingers.

Activation makes the fingers open and close. It is done only where it must be, when the gripper is
opened and not yet active; a gripper that loses it later (a power cut) is in trouble, since to
activate it again would drop what it holds.
"""

from __future__ import annotations

import contextlib
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rt_infer.flag_tree import flag
from rt_infer.grippers.base import GripperConfig, GripperError, Reading
from rt_infer.grippers.modbus import ANSWER_S, ModbusError, ModbusLine
from rt_infer.grippers.serial_port import open_port

if TYPE_CHECKING:
    import serial

T = TypeVar("T")

BAUD = 115200
_COMMAND, _STATUS = 0x03E8, 0x07D0  # first registers
_ACTIVATE, _GO = 0x01, 0x08  # rACT, rGTO
_ACTIVE, _STOPPED_CLOSING = 3, 2  # of gSTA, of gOBJ
_ACTIVATION_S = 10.0  # it takes 2 to 4

_HARMLESS = {0x00, 0x09}  # no fault; nobody spoke to it for a second, told once
_WHILE_ACTIVATING = {0x05, 0x07}
FAULTS = {
    0x05: "its activation is not complete",
    0x07: "it is not active: it has been without power, or somebody has reset it",
    0x08: "it is too hot; let it cool down below 80 °C",
    0x0A: "its supply is too low; check the 24 V",
    0x0B: "its automatic release is at work, and the fingers move slowly",
    0x0C: "an internal fault; ask Robotiq's support",
    0x0D: "its activation failed; see that nothing is in the way of the fingers",
    0x0E: "too much current; see that nothing blocks the fingers",
    0x0F: "its automatic release was triggered; take out what it held",
}


@GripperConfig.register_subclass("robotiq_2f")
@dataclass(kw_only=True)
class RobotiqConfig(GripperConfig):
    """`{type: robotiq_2f, port: /dev/ttyUSB0}`"""

    port: str = flag("the serial port that the gripper is on")
    speed: float = flag("of the fingers, 0 slowest to 1 fastest", default=1.0)
    force: float = flag("of the fingers, 0 weakest to 1 strongest", default=0.25)
    open_count: int = flag("what its position register reads when it is open", default=3)
    closed_count: int = flag("what it reads when its fingers meet", default=230)
    address: int = flag("its Modbus address", default=9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.port:
            raise ValueError("A Robotiq gripper needs its port, e.g. port: /dev/ttyUSB0.")
        if not (0.0 <= self.speed <= 1.0 and 0.0 <= self.force <= 1.0):
            raise ValueError("A Robotiq gripper's speed and force are 0 to 1.")
        if not 0 <= self.open_count < self.closed_count <= 255:
            raise ValueError(
                "A Robotiq gripper's counts are 0 to 255, open_count below closed_count."
            )
        if not 1 <= self.address <= 247:
            raise ValueError(f"A Modbus address is 1 to 247, not {self.address}.")

    def build(self) -> RobotiqGripper:
        return RobotiqGripper(self)


class Status(NamedTuple):
    """The gripper's own registers."""

    activation: int  # gSTA
    contact: int  # gOBJ
    fault: int  # gFLT
    position: int  # gPO

    @classmethod
    def parse(cls, registers: list[int]) -> Status:
        """Of the three registers from 0x07D0 on."""
        state = registers[0] >> 8
        return cls(state >> 4 & 3, state >> 6 & 3, registers[1] >> 8 & 0x0F, registers[2] >> 8)


class RobotiqGripper:
    """A `Gripper`: the device at the end of a serial line."""

    period_s = 0.02

    def __init__(self, config: RobotiqConfig) -> None:
        self._config = config
        self._port: serial.Serial | None = None
        self._line: ModbusLine | None = None

    def open(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        self._port = open_port(self._config.port, BAUD, ANSWER_S)
        self._line = ModbusLine(self._port, self._config.address)
        try:
            status = self._status(self._line)
        except (ModbusError, OSError, termios.error) as error:
            raise GripperError(
                f"No gripper answers at {self._config.port} ({error}); see that it has its 24 V (a "
                "light is on) and that this is its port."
            ) from error
        if status.activation != _ACTIVE or status.fault not in _HARMLESS:
            say("The gripper is being activated: its fingers open and close.")
            self._activate(stop)

    def command(self, position: float) -> None:
        self._write(_ACTIVATE | _GO, self._count(position))

    def read(self) -> Reading:
        status = self._talk(self._status)
        if status.fault not in _HARMLESS:
            raise GripperError(_faulty(status.fault))
        if status.activation != _ACTIVE:
            raise GripperError(_faulty(0x07))
        return Reading(self._position(status.position), status.contact == _STOPPED_CLOSING)

    def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError, termios.error):
                port.close()

    def _activate(self, stop: threading.Event) -> None:
        """A rising edge of rACT, which clears faults too, and patience."""
        self._write(0, 0)
        self._until(stop, lambda status: status.activation == 0)
        self._write(_ACTIVATE, 0)
        self._until(stop, lambda status: status.activation == _ACTIVE)

    def _until(self, stop: threading.Event, holds: Callable[[Status], bool]) -> None:
        deadline_s = time.monotonic() + _ACTIVATION_S
        while not stop.is_set():
            status = self._talk(self._status)
            if holds(status):
                return
            if status.activation and status.fault not in _HARMLESS | _WHILE_ACTIVATING:
                raise GripperError(_faulty(status.fault))
            if time.monotonic() > deadline_s:
                raise GripperError(_faulty(0x0D))
            stop.wait(self.period_s)

    def _count(self, position: float) -> int:
        if position in (0.0, 1.0):
            return 255 if position == 0.0 else 0
        open_, closed = self._config.open_count, self._config.closed_count
        return round(closed + position * (open_ - closed))

    def _position(self, count: int) -> float:
        open_, closed = self._config.open_count, self._config.closed_count
        return min(max((closed - count) / (closed - open_), 0.0), 1.0)

    def _write(self, action: int, count: int) -> None:
        speed, force = (round(255 * part) for part in (self._config.speed, self._config.force))
        values = [action << 8, count, speed << 8 | force]
        self._talk(lambda line: line.write_registers(_COMMAND, values))

    @staticmethod
    def _status(line: ModbusLine) -> Status:
        return Status.parse(line.read_registers(_STATUS, 3))

    def _talk(self, request: Callable[[ModbusLine], T]) -> T:
        assert self._line is not None  # opened first
        try:
            return request(self._line)
        except (ModbusError, OSError, termios.error) as error:
            raise GripperError(
                f"The gripper stopped answering at {self._config.port} ({error}); check its cable "
                "and its 24 V, then start again."
            ) from error


def _faulty(fault: int) -> str:
    known = FAULTS.get(fault, "a fault that its manual does not list")
    return f"The gripper reports fault 0x{fault:02X}: {known}; then start again."
