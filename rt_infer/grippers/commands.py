"""Which of a policy's gripper values become commands. Pure logic.

A policy tells a value at every step, and its values are never quite the same twice. Sent as they
come they would make fingers tremble, and re-grip what they hold. So a value becomes a command only
- if it differs from the last command by more than `deadband`, or
- if it is at an end (within `_AT_END`) and the last command was not: what should be shut is shut.

With a `binary_threshold` there are two commands only, 0 and 1, and the value must pass the
threshold by `_HYSTERESIS` to change from one to the other.
"""

from __future__ import annotations

_AT_END = 0.005
_HYSTERESIS = 0.05


class CommandRule:
    """Decides, value by value; remembers the last command."""

    def __init__(self, deadband: float, binary_threshold: float | None) -> None:
        self._deadband = deadband
        self._threshold = binary_threshold
        self._last: float | None = None

    def decide(self, value: float) -> float | None:
        """The command, 0 … 1, that a value leads to; None if the last one still stands."""
        wanted = self._target(value)
        last = self._last
        if last is not None and wanted == last:
            return None
        at_end = wanted in (0.0, 1.0)
        if last is not None and not at_end and abs(wanted - last) <= self._deadband:
            return None
        self._last = wanted
        return wanted

    def _target(self, value: float) -> float:
        if self._threshold is None:
            if value <= _AT_END:
                return 0.0
            return 1.0 if value >= 1.0 - _AT_END else value
        if self._last is None:
            return 1.0 if value > self._threshold else 0.0
        if value > self._threshold + _HYSTERESIS:
            return 1.0
        return 0.0 if value < self._threshold - _HYSTERESIS else self._last
