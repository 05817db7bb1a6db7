"""Writes a recording while the run goes on, and never keeps the run waiting.

`add` only puts what came into a queue that a thread of its own writes out. A disk that is full, or
so slow that a minute of motion piles up, ends the recording, not the run: what is in the file by
then stays, `ended` says why. Nothing is buffered here: a process that is killed leaves a file that
can be read up to its last moments.

Threads: all methods belong to one thread.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from rt_infer.recording import blocks

_MOST_WAITING = 1200  # blocks; the run adds some 20 a second
_CLOSE_PATIENCE_S = 10.0


class Writer:
    """One file; `close` it when the run is over."""

    def __init__(self, path: str, header: Mapping[str, Any]) -> None:
        """Begin the file anew. OSError: it cannot be."""
        self.path = path
        self.ended: str | None = None  # set once: why the recording ended before the run
        self.bytes = 0  # of the whole blocks in the file
        self._lost = 0
        self._file = open(path, "wb", buffering=0)  # noqa: SIM115 - its thread closes it
        self._waiting: queue.Queue[bytes | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
        self._thread.start()
        self._put(blocks.MAGIC + blocks.pack_json(blocks.HEAD, header))

    def add(
        self, pushed: npt.NDArray[np.void], cycles: npt.NDArray[np.void], lost: int = 0
    ) -> None:
        """Add what was pushed into the ring and the cycles that were read after that.

        `lost` counts the cycles that nobody could read, since the beginning.
        """
        if len(pushed):
            self._put(blocks.pack(blocks.RING, pushed.tobytes()))
        if lost > self._lost:
            self._put(blocks.pack_json(blocks.LOST, {"lost": lost - self._lost}))
            self._lost = lost
        if len(cycles):
            self._put(blocks.pack(blocks.CYCLES, cycles.tobytes()))

    def close(self, done: Mapping[str, Any] | None) -> None:
        """Write what still waits and, unless something is missing, `done` as the last word."""
        if done is not None:
            self._put(blocks.pack_json(blocks.DONE, done))
        with contextlib.suppress(queue.Full):
            self._waiting.put(None, timeout=_CLOSE_PATIENCE_S)
        self._thread.join(_CLOSE_PATIENCE_S)
        if self._thread.is_alive():
            self._end("the disk does not answer")

    def _put(self, block: bytes) -> bool:
        if self.ended is None:
            try:
                self._waiting.put_nowait(block)
                return True
            except queue.Full:
                self._end("the disk is too slow for it")
        return False

    def _write(self) -> None:
        with self._file as file:
            while (block := self._waiting.get()) is not None:
                if self.ended is not None:
                    continue  # what came before a gap is in the file, nothing may come after it
                try:
                    _write_all(file, block)
                    self.bytes += len(block)
                except OSError as error:
                    self._end(error.strerror or str(error))
                    with contextlib.suppress(OSError):
                        file.truncate(self.bytes)

    def _end(self, reason: str) -> None:
        if self.ended is None:
            self.ended = (
                f"The recording in {self.path} ended before the run: {reason}; what is in it can "
                "be read."
            )


def _write_all(file: Any, block: bytes) -> None:
    left = memoryview(block)
    while left:
        left = left[file.write(left) :]
