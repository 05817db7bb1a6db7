"""Opens a serial port, and says in words why it cannot be opened."""

from __future__ import annotations

import contextlib
import errno
import glob
import grp
import os
import termios
from typing import TYPE_CHECKING

from rt_infer.grippers.base import GripperError

if TYPE_CHECKING:
    import serial


def open_port(path: str, baud: int, timeout_s: float) -> serial.Serial:
    """The port, ours alone, 8 bits, no parity, one stop bit. Raises GripperError with a sentence.

    `timeout_s` is how long a read waits for its bytes, and a write for room.
    """
    import serial  # only where there is such a gripper: the server and the simulated ones need none

    try:
        port = serial.Serial(path, baud, timeout=timeout_s, write_timeout=timeout_s, exclusive=True)
    except (OSError, termios.error) as error:
        raise GripperError(why_not(path, error)) from error
    # USB converters hold bytes back for 16 ms unless asked not to; other ports know no such thing.
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        port.set_low_latency_mode(True)
    return port


def why_not(path: str, error: Exception) -> str:
    """Why `path` could not be opened, in a sentence that says what to do."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        found = sorted(glob.glob("/dev/ttyUSB*") + glob.glob("/dev/ttyACM*"))
        there = f"there is {', '.join(found)}" if found else "there is no USB serial port at all"
        return (
            f"There is no port {path}; plug in the gripper's USB cable, or name its port: {there}."
        )
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"This user may not open {path}; join its group with `sudo usermod -aG "
            f"{_group_of(path)} $USER`, log out and in again."
        )
    if number in (errno.EBUSY, errno.EAGAIN):
        return f"Another program holds {path}; end it, or name another port."
    return f"{path} cannot be used as a serial port ({error}); name the gripper's port."


def _group_of(path: str) -> str:
    """The group that may open it: dialout on Debian and Ubuntu, uucp on Arch."""
    try:
        return grp.getgrgid(os.stat(path).st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
