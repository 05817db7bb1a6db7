"""A robot's command line as the tests write it: what it means, or why it is refused."""

from __future__ import annotations

import pytest

from rt_infer import flags
from rt_infer.config import RunConfig

ROBOT = ["--robot.type=sim_fr3", "--robot.id=a", "--policy_type=hold"]


def run_config(*words: str) -> RunConfig:
    return flags.parse(RunConfig, [*ROBOT, *words], "rt-infer robot")


def refusal(*words: str) -> str:
    with pytest.raises(flags.UsageError) as caught:
        run_config(*words)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence
