"""Who drives which robot on this machine: names in shared memory, owned through a kernel lock.

A robot's region is the shared memory object ``/rt-infer.<robot_id>``. Whoever holds ``flock`` on
it owns the robot; the kernel drops the lock once the last process that shares the descriptor is
gone, so there is no stale ownership, only a stale name. Process ids are for messages only.

The invariants, whatever dies at whatever point:

- A name appears only once the object behind it is complete and locked: it is made under a temporary
  name, then linked (no such robot yet) or renamed over what a dead owner left, in one step.
- A name is taken away or replaced only by who holds the lock of the object that bears it, checked
  *after* locking: so two starters cannot remove each other's newborn.
- Temporary names and those of other dead owners go at the next start of any robot.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator

import posix_ipc

__all__ = ["RegionBusy", "claim", "object_name", "open_object", "release", "sweep"]

_DIRECTORY = "/dev/shm"  # where Linux keeps POSIX shared memory: shm_overview(7)
_PREFIX = "rt-infer."
_ROBOT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,47}")
_RETRY_S = 0.02


class RegionBusy(RuntimeError):
    """Another rt-infer drives this robot."""


def object_name(robot_id: str) -> str:
    """The name in shared memory; ValueError if the id is not one."""
    if not _ROBOT_ID.fullmatch(robot_id):
        raise ValueError(
            f"Robot id {robot_id!r} cannot be a name: use up to 48 letters, digits, '_', '-' and"
            " '.', beginning with a letter or digit."
        )
    return f"/{_PREFIX}{robot_id}"


def open_object(name: str, *, writable: bool) -> int:
    """A descriptor of the object.

    FileNotFoundError: nothing bears the name. RegionBusy: what does is another user's.
    """
    try:
        # posix_ipc closes nothing by itself: the descriptor is ours.
        return int(posix_ipc.SharedMemory(name, read_only=not writable).fd)
    except posix_ipc.ExistentialError as error:
        raise FileNotFoundError(f"no rt-infer region is called {name}") from error
    except posix_ipc.PermissionsError as error:
        raise RegionBusy(
            f"Robot {name.removeprefix('/' + _PREFIX)!r} belongs to another user of this machine:"
            f" ask them to stop it and to remove {_path(name)}, or give this robot another id."
        ) from error


def claim(
    name: str,
    fill: Callable[[int, int], None],
    describe: Callable[[int], tuple[int, int]],
    wait_s: float,
) -> int:
    """Own the name: returns the locked descriptor of a new object that bears it.

    ``fill(fd, generation)`` makes the object complete; ``describe(fd)`` tells (generation, owner's
    pid) of one that is there, zeros if it cannot. An owner that is on its way out (the core of a
    killed network process brings its arm to rest first) is waited for, up to ``wait_s``; RegionBusy
    then names it.
    """
    sweep(but=name)
    deadline_s = time.monotonic() + wait_s
    while True:
        with _opened(name) as found:
            if found is None:
                made = _make(name, fill, generation=1)
                with made.giving_up_on(FileExistsError):
                    made.link_to(name)
                    return made.keep()
            elif _lock(found, name):
                made = _make(name, fill, generation=describe(found)[0] + 1)
                made.rename_to(name)
                return made.keep()
            elif time.monotonic() >= deadline_s and _bears(name, found):
                raise RegionBusy(
                    f"Robot {name.removeprefix('/' + _PREFIX)!r} is driven by another rt-infer,"
                    f" process {describe(found)[1]}: stop that one, or give this robot another id."
                )
        time.sleep(_RETRY_S)


def release(name: str, fd: int) -> None:
    """Close the descriptor, and take the name away unless the core still lives by it."""
    os.close(fd)
    _remove_if_dead(name)


def sweep(but: str = "") -> None:
    """Remove what dead owners left, except under the one name that is about to be claimed."""
    for entry in os.listdir(_DIRECTORY):
        name = f"/{entry}"
        if entry.startswith(_PREFIX) and name != but:
            _remove_if_dead(name)


def _remove_if_dead(name: str) -> None:
    # Another user's, or gone meanwhile: not ours to remove.
    with contextlib.suppress(RegionBusy, posix_ipc.PermissionsError, posix_ipc.ExistentialError):
        with _opened(name) as found:
            if found is not None and _lock(found, name):
                posix_ipc.unlink_shared_memory(name)


class _Newborn:
    """An object under its temporary name, complete and locked."""

    def __init__(self, temporary: str, fd: int) -> None:
        self._temporary = temporary
        self._fd = fd

    def link_to(self, name: str) -> None:
        os.link(_path(self._temporary), _path(name))
        os.unlink(_path(self._temporary))

    def rename_to(self, name: str) -> None:
        os.rename(_path(self._temporary), _path(name))

    def keep(self) -> int:
        return self._fd

    @contextlib.contextmanager
    def giving_up_on(self, error: type[OSError]) -> Iterator[None]:
        try:
            yield
        except error:
            os.unlink(_path(self._temporary))
            os.close(self._fd)


def _make(name: str, fill: Callable[[int, int], None], generation: int) -> _Newborn:
    while True:
        temporary = f"{name}~{secrets.token_hex(8)}"
        fd = int(posix_ipc.SharedMemory(temporary, posix_ipc.O_CREX, mode=0o600).fd)
        try:
            if _lock(fd, temporary):
                fill(fd, generation)
                return _Newborn(temporary, fd)
        except BaseException:
            release(temporary, fd)
            raise
        os.close(fd)  # a sweep came between making and locking, and has removed it


@contextlib.contextmanager
def _opened(name: str) -> Iterator[int | None]:
    try:
        fd = open_object(name, writable=True)
    except FileNotFoundError:
        yield None
        return
    try:
        yield fd
    finally:
        os.close(fd)


def _lock(fd: int, name: str) -> bool:
    """Whether we now own the object and it is still the one that bears the name."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return _bears(name, fd)


def _bears(name: str, fd: int) -> bool:
    try:
        named = os.stat(_path(name))
    except FileNotFoundError:
        return False
    ours = os.fstat(fd)
    return (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)


def _path(name: str) -> str:
    return _DIRECTORY + name
