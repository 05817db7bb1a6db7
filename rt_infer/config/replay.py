"""The flags of `rt-infer replay`."""

from __future__ import annotations

from dataclasses import dataclass

from rt_infer.config.checks import picture
from rt_infer.flag_tree import flag


@dataclass(kw_only=True)
class ReplayConfig:
    """`rt-infer replay`"""

    recording: str = flag("the file that --record wrote", positional=True)
    plot: str | None = flag("draw the recorded motion into this PNG file", default=None)
    json: bool = flag("print the outcome as JSON", default=False)

    def __post_init__(self) -> None:
        picture(self.plot)
