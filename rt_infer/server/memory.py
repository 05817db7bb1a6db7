"""Shared memory between door and worker: sealed memfds, written by one side, read by the other.

A session's memory holds its observation slots: the door writes, the worker maps it read-only. A
reply area holds an answer too long for a message: the worker writes, the door maps it read-only.
The size is sealed, so neither side can make the other fault by shrinking it; the memory is gone
when the last mapping is, whatever ended the processes.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os

from rt_infer.server.slots import SLOT_COUNT

_SIZE_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


def create(name: str, size: int) -> tuple[int, mmap.mmap]:
    """A new memory of `size` bytes: its descriptor, to be sent, and a writable mapping.

    The caller closes the descriptor once it is sent. OSError when there is no memory left.
    """
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.posix_fallocate(fd, 0, size)  # not ftruncate: memory that is not there fails here
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SIZE_SEALS | fcntl.F_SEAL_SEAL)
        return fd, mmap.mmap(fd, size)
    except BaseException:
        os.close(fd)
        raise


def attach(fd: int) -> mmap.mmap:
    """A read-only mapping of the memory behind a received descriptor, which is closed here.

    ValueError if its size is not sealed: the other side could make a read of it fatal.
    """
    try:
        if fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _SIZE_SEALS != _SIZE_SEALS:
            raise ValueError("The size of the received memory is not sealed.")
        return mmap.mmap(fd, os.fstat(fd).st_size, prot=mmap.PROT_READ)
    finally:
        os.close(fd)


def slot_stride(largest_body: int) -> int:
    """Bytes from one slot to the next: room for the largest body, whole pages."""
    return max(1, -(-largest_body // mmap.PAGESIZE)) * mmap.PAGESIZE


class SessionMemory:
    """The door's side of a session's slots. Made, used and closed by the connection's thread."""

    def __init__(self, session: int, largest_body: int) -> None:
        self.stride = slot_stride(largest_body)
        self._fd, self._map = create(f"rt-infer-session-{session}", SLOT_COUNT * self.stride)
        view = memoryview(self._map)
        self._slots = [view[i * self.stride : (i + 1) * self.stride] for i in range(SLOT_COUNT)]
        view.release()

    def slot(self, index: int, length: int) -> memoryview:
        """The first `length` bytes of a slot, writable; to be released before `close`."""
        return self._slots[index][:length]

    def take_descriptor(self) -> int:
        """The memory's descriptor, to be sent and closed by the caller; once."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        """Let the memory go. The worker's own mapping lasts until it hears that the session ended.

        Nobody may hold on to what `slot` gave; if somebody does, it goes when they let go.
        """
        if self._fd >= 0:
            os.close(self._fd)
        self._slots.clear()
        with contextlib.suppress(BufferError):
            self._map.close()
