"""Frames between a camera's thread and who reads them: never torn, never late for a reader."""

from __future__ import annotations

import threading
import time

from robot_records import Tape, records
from still_camera import StillCamera

from rt_infer.cameras.base import CameraStream, FrameSlot, Image
from rt_infer.robot.observe import ArmHistory, Observer


def test_a_leased_frame_stays_as_it_is_while_newer_ones_come() -> None:
    slot = FrameSlot((4, 6, 3))
    index, buffer = slot.back_buffer()
    buffer[:] = 1
    slot.publish(index, 1)
    leased = slot.take()
    assert leased is not None
    for number in range(2, 20):
        index, buffer = slot.back_buffer()
        assert buffer is not leased.image
        buffer[:] = number
        slot.publish(index, number)
    assert (leased.image == 1).all()
    newest = slot.take()
    assert newest is not None
    assert newest.capture_ns == 19
    assert (newest.image == 19).all()


def test_a_reader_and_a_writer_thread_never_meet_in_one_frame() -> None:
    slot = FrameSlot((64, 64, 3))
    done = threading.Event()

    def write() -> None:
        for number in range(3000):
            index, buffer = slot.back_buffer()
            buffer[:] = number % 251
            slot.publish(index, number)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    last = -1
    while not done.is_set():
        frame = slot.take()
        if frame is not None:
            assert frame.capture_ns >= last
            last = frame.capture_ns
            assert (frame.image == frame.capture_ns % 251).all()
    writer.join()


def test_a_camera_thread_publishes_until_it_is_stopped() -> None:
    class Counting(StillCamera):
        fps = 500.0
        frames = 0

        def capture(self, out: Image) -> int | None:
            self.frames += 1
            out[:] = self.frames
            return self.frames

    camera = Counting("a")
    running = CameraStream(camera)
    running.start()
    while camera.frames < 5:
        time.sleep(0.001)
    running.stop()
    frame = running.slot.take()
    assert frame is not None
    assert frame.capture_ns == camera.frames
    assert running.error is None


def test_a_camera_that_is_unplugged_says_so() -> None:
    class Broken(StillCamera):
        def capture(self, out: Image) -> int | None:
            raise OSError("no such device")

    running = CameraStream(Broken("top"))
    running.start()
    running._thread.join()
    observer = Observer([running], ArmHistory(Tape(records(10))))
    assert observer.build(1, 0) is None
    assert observer.trouble == "Camera 'top' stopped: no such device"
