"""The flags of `rt-infer demo`: a robot command with most of it decided."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from rt_infer.config.robot import RealtimeConfig, RunConfig
from rt_infer.flag_tree import flag
from rt_infer.robots.sim_fr3 import SimFr3Config


@dataclass(kw_only=True)
class DemoConfig:
    """`rt-infer demo`"""

    duration_s: float = flag("stop after so long, s, even if targets are left", default=50.0)
    targets: int = flag(
        "how many markers there are; the demo ends when all were reached or missed", default=10
    )
    seed: int = flag("which sequence of markers", default=0)
    patient: bool = flag(
        "the simulated arm waits for a late command instead of counting it as lost; always so "
        "where the system refuses realtime scheduling",
        default=False,
    )
    report: str | None = flag("write what happened to this JSON file", default=None)
    plot: str | None = flag("draw the motion into this PNG file", default=None)
    record: str | None = flag(
        "record the run into this file, to replay or analyse it", default=None
    )
    rt: RealtimeConfig = flag("", factory=RealtimeConfig, group="realtime")

    def __post_init__(self) -> None:
        self.run_config("127.0.0.1:1")  # the robot's own checks speak for themselves

    def run_config(self, server_address: str) -> RunConfig:
        """The robot command that the demo is."""
        shown: dict[str, Any] = {
            name: getattr(self, name) for name in ("duration_s", "report", "plot", "record", "rt")
        }
        return RunConfig(
            # Two demos on one machine are two robots.
            robot=SimFr3Config(
                id=f"demo-{os.getpid()}",
                seed=self.seed,
                targets=self.targets,
                patient=self.patient,
            ),
            server_address=server_address,
            policy_type="reach",
            **shown,
        )
