"""What a gripper is: a device that takes a position and tells where it is.

Positions are fractions of its stroke, 0 closed to 1 open, whatever the device counts in.

All methods of a gripper are called by one thread, the driver's (driver.py); they may block for as
long as the device's own patience lasts. Whatever goes wrong is a GripperError with a sentence for
the user, and the end of this gripper: nothing is called after it but `close`.

A gripper keeps what it holds. It moves when it is commanded to and, where a device cannot do
without, once while it is opened; never when it is closed and never because a run has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import draccus

from rt_infer.flag_tree import flag


class GripperError(Exception):
    """The gripper cannot be used, or not any more; the text is a sentence for the user."""


class Reading(NamedTuple):
    """What a gripper tells of itself."""

    position: float  # measured, 0 closed … 1 open
    holding: bool  # the fingers were stopped by something between them


class Gripper(Protocol):
    """A device with fingers. One thread calls all of it."""

    @property
    def period_s(self) -> float:
        """How often it should be read, s."""
        ...

    def open(self, stop: threading.Event, say: Callable[[str], None]) -> None:
        """Connect and make it ready to move; may take seconds, and returns early if `stop` is set.

        `say` takes a sentence for the user where something is worth telling, fingers that move by
        themselves above all.
        """
        ...

    def command(self, position: float) -> None:
        """Go to `position`, 0 closed … 1 open; returns once the device has taken it."""
        ...

    def read(self) -> Reading: ...

    def close(self) -> None:
        """Let go of the device, which stays as it is. Never raises; may be called twice."""
        ...


@dataclass(kw_only=True)
class GripperConfig(draccus.ChoiceRegistry):
    """How a gripper is described on the command line; `type` chooses the class."""

    deadband: float = flag(
        "a command goes out when it differs from the last one by more than this", default=0.02
    )
    binary_threshold: float | None = flag(
        "open fully above this and close fully below it, instead of going to positions between",
        default=None,
    )

    def __post_init__(self) -> None:
        if not 0.0 <= self.deadband <= 0.5:
            raise ValueError(f"A gripper's deadband is 0 to 0.5, not {self.deadband:g}.")
        if self.binary_threshold is not None and not 0.1 <= self.binary_threshold <= 0.9:
            raise ValueError(
                f"A gripper's binary_threshold is 0.1 to 0.9, not {self.binary_threshold:g}."
            )

    def build(self) -> Gripper:
        """The device that this describes, not yet opened."""
        raise NotImplementedError
