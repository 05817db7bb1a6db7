"""Modbus RTU, the master's side of it: registers read and written over a serial line.

The part of it that grippers need: function 3, read registers, and 16, write registers. A frame is
an address, a function, data, and a CRC; on the line it is told from the next one by silence.

    read   address 03 first(2) count(2) crc(2)             ->  address 03 bytes(1) data crc(2)
    write  address 10 first(2) count(2) bytes(1) data crc  ->  address 10 first(2) count(2) crc(2)
    refused                                                ->  address 80+function code(1) crc(2)

A request whose answer does not come, or comes damaged, is made again, `ATTEMPTS` times in all: what
is read or written here may be read or written twice. What an attempt left on the line is thrown
away before the next.

Source: MODBUS over Serial Line, Specification and Implementation Guide V1.02 (modbus.org), 2.5.1;
numbers are big-endian, the CRC alone is little-endian.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import Protocol

ATTEMPTS = 3
ANSWER_S = 0.2  # a USB converter holds bytes back for up to 16 ms, a busy machine for longer
_SILENCE_S = 0.00175  # between frames, at more than 19200 bit/s
_SETTLE_S = 0.02  # after an answer that was none: whatever still comes belongs to it

_READ, _WRITE, _REFUSED = 0x03, 0x10, 0x80
_SHORTEST = 5  # bytes of the shortest answer, a refusal
_BUSY = {5, 6}  # refusals that trying again may cure
_REFUSALS = {
    1: "it knows no such function",
    2: "it has no such register",
    3: "not with this value",
    5: "it is busy",
    6: "it is busy",
}


class ModbusError(Exception):
    """A request came to nothing; the text is a clause about why."""


class Port(Protocol):
    """A serial line that is open: serial.Serial. Raises OSError when it is gone."""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer when they do not come within the port's timeout."""
        ...

    def write(self, data: bytes) -> int | None: ...

    def reset_input_buffer(self) -> None: ...


def crc(data: bytes) -> bytes:
    """The check of a frame as it stands at its end: CRC-16, reflected polynomial 0xA001."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


class ModbusLine:
    """The registers of the one device at `address`. One thread calls it."""

    def __init__(self, port: Port, address: int) -> None:
        self._port = port
        self._address = address

    def read_registers(self, first: int, count: int) -> list[int]:
        """The values, 0 … 65535, of `count` registers. ModbusError, or the port's OSError."""
        data = self._ask(struct.pack(">BHH", _READ, first, count), 1 + 2 * count)
        if data[0] != 2 * count:
            raise ModbusError("its answer has another length than what was asked for")
        return list(struct.unpack(f">{count}H", data[1:]))

    def write_registers(self, first: int, values: Sequence[int]) -> None:
        """Set registers in one stroke. ModbusError, or the port's OSError."""
        head = struct.pack(">BHHB", _WRITE, first, len(values), 2 * len(values))
        echo = self._ask(head + struct.pack(f">{len(values)}H", *values), 4)
        if echo != head[1:5]:
            raise ModbusError("it answers that it has written other registers")

    def _ask(self, request: bytes, size: int) -> bytes:
        """The answer's data, `size` bytes between its function code and its CRC."""
        reason = ""
        for _ in range(ATTEMPTS):
            time.sleep(_SETTLE_S if reason else _SILENCE_S)
            self._port.reset_input_buffer()
            self._port.write(frame := self._framed(request))
            answer, whole = self._answer(size)
            if not whole:
                reason = "no answer" if not answer else "half an answer"
            elif crc(answer[:-2]) != answer[-2:] or answer[0] != frame[0]:
                reason = "only noise for an answer"
            elif answer[1] == request[0]:
                return answer[2:-2]
            elif answer[1] == request[0] | _REFUSED:
                reason = _REFUSALS.get(answer[2], "it refuses")
                if answer[2] not in _BUSY:
                    break
            else:
                reason = "an answer to another question"
        raise ModbusError(reason)

    def _answer(self, size: int) -> tuple[bytes, bool]:
        """What comes within the port's timeout, and whether it is long enough for a frame."""
        head = self._port.read(_SHORTEST)
        if len(head) < _SHORTEST or head[1] & _REFUSED:
            return head, len(head) == _SHORTEST
        rest = size + 4 - _SHORTEST
        answer = head + self._port.read(rest)
        return answer, len(answer) == _SHORTEST + rest

    def _framed(self, request: bytes) -> bytes:
        frame = bytes([self._address]) + request
        return frame + crc(frame)
