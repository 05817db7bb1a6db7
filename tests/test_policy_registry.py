"""Which policies may be named, and what is said about those that may not."""

from __future__ import annotations

import sys

import pytest

from rt_infer.policies.base import CannotLoad
from rt_infer.policies.registry import PolicyKey, UnknownPolicy, load, resolve


def refusal(policy_type: str, path: str = "") -> str:
    with pytest.raises(UnknownPolicy) as caught:
        resolve(PolicyKey(policy_type, path, "cpu"), ["my_robot.act:make"])
    return str(caught.value)


@pytest.mark.parametrize("policy_type", ["act", "diffusion", "pi0", "smolvla"])
def test_a_policy_of_lerobot_is_told_how_it_can_be_run_today(policy_type: str) -> None:
    sentence = refusal(policy_type, "user/my_act")
    assert "not supported yet" in sentence
    assert "--allow_python=package.module:factory" in sentence
    assert "--policy_type=python" in sentence


def test_a_policy_that_nobody_knows_is_answered_with_those_there_are() -> None:
    assert "hold, reach, python with pretrained_name_or_path=my_robot.act:make" in refusal("xyz")


def test_a_worker_without_torch_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("rt_infer.policies.reach")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(CannotLoad, match=r"torch is not installed: run pip install '\.\[server\]'"):
        load(PolicyKey("reach", "", "cpu"))


def test_a_factory_that_lacks_a_module_of_its_own_is_not_told_to_install_torch() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_mine"):
        load(
            PolicyKey("python", "no_such_module_of_mine:make", "cpu"),
            ["no_such_module_of_mine:make"],
        )
