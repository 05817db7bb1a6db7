"""What flags of several commands refuse, each with a sentence."""

from __future__ import annotations

import math

from rt_infer.policies.registry import HOLD

LEROBOT = "accepted because LeRobot has them"  # the group of flags that do nothing here


def between(name: str, value: float, low: float, high: float, unit: str = "") -> None:
    if not low <= value <= high:
        raise ValueError(f"--{name} must be {low:g} to {high:g}{unit}, not {value:g}.")


def above_zero(name: str, value: float | None, unit: str = "") -> None:
    if value is not None and not (value > 0 and math.isfinite(value)):
        raise ValueError(f"--{name} must be above zero{unit}, not {value:g}.")


def text(name: str, text: str, most: int) -> None:
    """What goes over the wire: text of at most so many bytes."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        raise ValueError(f"--{name} is not text in UTF-8.") from None
    if length > most:
        raise ValueError(f"--{name} has {length} bytes; give at most {most}.")


def picture(path: str | None) -> None:
    if path and not path.lower().endswith(".png"):
        raise ValueError(f"--plot={path} must end in .png, which is what is drawn.")


def no_checkpoint_of_hold(policy_type: str, path: str) -> None:
    if policy_type == HOLD and path:
        raise ValueError(
            f"--pretrained_name_or_path={path} has no use: hold has no checkpoint; leave it out."
        )
