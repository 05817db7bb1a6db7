"""A Robotiq 2F at the far end of a pseudo-terminal: Modbus RTU as its manual has it.

Written apart from rt_infer/grippers, so that the two can contradict each other: the CRC is the
textbook's (polynomial 0x8005, bits mirrored), the frames are taken apart here on their own. The
fingers move `STEP` counts each time the gripper is asked where they are.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty

STEP = 40
OPEN, MEET = 3, 230  # where the fingers really end, in counts


def crc16(data: bytes) -> bytes:
    value = 0xFFFF
    for byte in data:
        value ^= int(f"{byte:08b}"[::-1], 2) << 8
        for _ in range(8):
            value = ((value << 1) ^ 0x8005) & 0xFFFF if value & 0x8000 else value << 1
    return int(f"{value:016b}"[::-1], 2).to_bytes(2, "little")


class RobotiqSlave:
    """Open the port that `path` names and talk to it."""

    def __init__(self, *, active: bool = True, position: int = OPEN) -> None:
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)  # as it is before anybody has opened it
        self.path = os.ttyname(self._slave)
        self.position = position
        self.activation = 3 if active else 0
        self.fault = 0
        self.object_at: int | None = None  # the fingers close no further than this
        self.polls_until_active = 5
        self.goto = position
        self.speed = self.force = -1
        self.activations = 0
        self.moves: list[tuple[int, int]] = []  # when, CLOCK_MONOTONIC in ns, and where to
        self.requests: list[bytes] = []
        self.spoil: list[str] = []  # what happens to the next answers, one each: see `_send`
        self._going = False
        self._registers_written = [0, 0, 0]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._end = threading.Event()
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        for fd in (self._master, self._slave):
            if fd >= 0:
                os.close(fd)
        self._master = self._slave = -1

    def __enter__(self) -> RobotiqSlave:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        received = b""
        while not self._end.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.02)
            if not ready:
                received = b""  # silence ends a frame, whole or not
                continue
            received += os.read(self._master, 256)
            wanted = 8 if len(received) < 7 or received[1] != 16 else 9 + received[6]
            if len(received) >= wanted:
                self._take(received[:wanted])
                received = b""

    def _take(self, frame: bytes) -> None:
        self.requests.append(frame)
        if crc16(frame[:-2]) != frame[-2:] or frame[0] != 9:
            return  # not for us
        first = int.from_bytes(frame[2:4], "big")
        if frame[1] == 16 and first == 0x03E8:
            self._write(frame[7:-2])
            self._send(frame[:6])
        elif frame[1] == 3 and first == 0x07D0:
            self._move()
            self._send(bytes([9, 3, 6]) + self._status())
        else:
            self._send(bytes([9, frame[1] | 0x80, 2]))

    def _write(self, data: bytes) -> None:
        action = data[0]
        if not action & 1:
            self.activation, self.fault, self._going = 0, 0, False
            return
        if self.activation == 0:
            self.activation = 1
            self.activations += 1
            self._polls = 0
        self._going = bool(action & 8)
        if self._going and self.activation == 3:
            self.goto, self.speed, self.force = data[3], data[4], data[5]
            self.moves.append((time.monotonic_ns(), data[3]))

    def _move(self) -> None:
        if self.activation == 1:
            self._polls += 1
            if self._polls >= self.polls_until_active:
                self.activation = 3
        if self.activation == 3 and self._going:
            way = max(-STEP, min(STEP, self.goto - self.position))
            self.position = max(OPEN, min(MEET, self.position + way))
            if self.object_at is not None:
                self.position = min(self.position, self.object_at)

    def _status(self) -> bytes:
        stopped = self.object_at is not None and self.position == self.object_at < self.goto
        near = abs(self.position - max(OPEN, min(MEET, self.goto))) == 0
        contact = 2 if stopped else 3 if near else 0
        state = (self.activation > 0) | self._going << 3 | self.activation << 4 | contact << 6
        return bytes([state, 0, self.fault, self.goto, self.position, 0])

    def _send(self, answer: bytes) -> None:
        frame = answer + crc16(answer)
        match self.spoil.pop(0) if self.spoil else "":
            case "silent":
                return
            case "half":
                frame = frame[: len(frame) // 2]
            case "flipped":
                frame = frame[:3] + bytes([frame[3] ^ 0x10]) + frame[4:]
            case "noise":
                frame = b"\x00\xff" * 40
            case "stranger":
                frame = bytes([8]) + answer[1:]
                frame += crc16(frame)
            case "busy":
                frame = bytes([9, answer[1] | 0x80, 6])
                frame += crc16(frame)
            case "refused":
                frame = bytes([9, answer[1] | 0x80, 3])
                frame += crc16(frame)
            case "unplugged":
                self._end.set()
                os.close(self._slave)
                os.close(self._master)
                self._master = self._slave = -1
                return
        os.write(self._master, frame)
