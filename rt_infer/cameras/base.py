"""A camera's thread and the slot its frames go through.

Protocol. One thread a camera calls `Camera.capture` at the camera's rate. The frame goes into a
buffer that nobody reads, and is then published with its capture time: newest wins, nothing queues.
`FrameSlot.take` leases the newest frame to its one reader until that reader takes again; the writer
never touches a leased buffer, so a frame may be sent from where it lies, without a copy.

Three buffers are enough: one is written, one is the newest, one is leased.

A camera that stops delivering freezes nothing else. Its slot simply holds an old frame; `age_s`
tells, and the observer builds no observation from it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import draccus
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(kw_only=True)
class CameraConfig(draccus.ChoiceRegistry):
    """How a camera is described on the command line; `type` chooses the class."""


class Camera(Protocol):
    """A source of frames. `capture` is called from one thread only."""

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3) of every frame, uint8 RGB."""
        ...

    @property
    def fps(self) -> float: ...

    def capture(self, out: Image) -> int | None:
        """Fill `out` with a new frame; answer when it was exposed, CLOCK_MONOTONIC in ns.

        None: no frame could be had this time. Raises OSError when the camera is gone for good.
        """
        ...


class Frame(NamedTuple):
    """One image and when its light was caught."""

    image: Image
    capture_ns: int


class FrameSlot:
    """The newest frame of one camera: one writer thread, one reader thread."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._buffers = [np.zeros(shape, dtype=np.uint8) for _ in range(3)]
        self._lock = threading.Lock()  # guards the three indices, held for a few assignments
        self._newest: int | None = None
        self._leased: int | None = None
        self._capture_ns = 0

    def back_buffer(self) -> tuple[int, Image]:
        """The buffer that the writer may fill now, and its number for `publish`."""
        with self._lock:
            free = next(i for i in range(3) if i not in (self._newest, self._leased))
        return free, self._buffers[free]

    def publish(self, number: int, capture_ns: int) -> None:
        """Make a filled buffer the newest frame."""
        with self._lock:
            self._newest, self._capture_ns = number, capture_ns

    def take(self) -> Frame | None:
        """The newest frame, valid until the next `take`; None before the first one."""
        with self._lock:
            if self._newest is None:
                return None
            self._leased = self._newest
            return Frame(self._buffers[self._leased], self._capture_ns)


class CameraStream:
    """Runs one camera in a thread of its own from `start` to `stop`."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.slot = FrameSlot(camera.shape)
        self.error: str | None = None
        self._last_frame_ns = time.monotonic_ns()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; a capture that is under way ends first, for at most a second."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=1.0)

    @property
    def age_s(self) -> float:
        """Seconds since the camera last delivered a frame (or since it was made)."""
        return (time.monotonic_ns() - self._last_frame_ns) / 1e9

    def _run(self) -> None:
        period_s = 1.0 / self.camera.fps
        try:
            while not self._stop.is_set():
                number, buffer = self.slot.back_buffer()
                capture_ns = self.camera.capture(buffer)
                if capture_ns is not None:
                    self.slot.publish(number, capture_ns)
                    self._last_frame_ns = time.monotonic_ns()
                # One grid for all cameras of the same rate: they look at the same moments.
                self._stop.wait(period_s - time.monotonic() % period_s)
        except OSError as error:
            self.error = f"Camera {self.camera.name!r} stopped: {error}"
