"""Cameras whose frames the tests put there; every pixel is the frame's number."""

from __future__ import annotations

from rt_infer.cameras.base import CameraStream, Image


class StillCamera:
    """A camera whose frames are put there by the test; every pixel is the frame's number."""

    fps = 30.0
    shape = (4, 6, 3)

    def __init__(self, name: str) -> None:
        self.name = name

    def capture(self, out: Image) -> int | None:
        raise AssertionError("the test publishes, no thread runs")


def stream(name: str, *captures_ns: int) -> CameraStream:
    made = CameraStream(StillCamera(name))
    for number, capture_ns in enumerate(captures_ns):
        publish(made, number, capture_ns)
    return made


def publish(to: CameraStream, number: int, capture_ns: int) -> None:
    index, buffer = to.slot.back_buffer()
    buffer[:] = number
    to.slot.publish(index, capture_ns)
