"""The flags of `rt-infer server`."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any

from rt_infer.config.checks import LEROBOT, between, no_checkpoint_of_hold
from rt_infer.flag_tree import flag

_FACTORY = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


@dataclass(kw_only=True)
class ServerConfig:
    """`rt-infer server`"""

    host: str = flag("address to listen on", default="127.0.0.1", group="listening")
    port: int = flag("TCP port; 0 takes a free one", default=8080, group="listening")
    unix: str = flag("also listen on a Unix socket of this path", default="", group="listening")
    token_file: str = flag(
        "a file whose first line every robot must know", default="", group="listening"
    )
    insecure: bool = flag(
        "allow a --host beyond this machine without encryption; needs --token_file",
        default=False,
        group="listening",
    )
    policy_type: str = flag(
        "load this policy at the start instead of when the first robot asks",
        default="",
        group="policy",
    )
    pretrained_name_or_path: str = flag("its checkpoint", default="", group="policy")
    policy_device: str = flag("cpu, cuda, cuda:1 or mps", default="cpu", group="policy")
    allow_python: list[str] = flag(
        "a Python factory, package.module:function, that robots may name as a policy; may be "
        "given several times",
        factory=list,
        group="policy",
    )
    fps: float | None = flag(
        "", default=None, group=LEROBOT, notice="each robot tells the server its own rate."
    )
    inference_latency: float | None = flag(
        "", default=None, group=LEROBOT, notice="answers are never delayed on purpose."
    )
    obs_queue_timeout: float | None = flag(
        "", default=None, group=LEROBOT, notice="the newest observation is served at once."
    )

    def __post_init__(self) -> None:
        between("port", self.port, 0, 65535)
        for factory in self.allow_python:
            if not _FACTORY.fullmatch(factory):
                raise ValueError(
                    f"--allow_python={factory} is no package.module:function; name a module, a "
                    "colon, and the function in it that makes the policy."
                )
        no_checkpoint_of_hold(self.policy_type, self.pretrained_name_or_path)
        if self.pretrained_name_or_path and not self.policy_type:
            raise ValueError("--pretrained_name_or_path needs --policy_type to say what it is.")

    def options(self) -> dict[str, Any]:
        """What the server itself is told: everything but LeRobot's flags."""
        ours = (each for each in fields(self) if not each.metadata["notice"])
        return {each.name: getattr(self, each.name) for each in ours}
