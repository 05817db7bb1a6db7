"""Policies by name. What a robot may name, and which code loads it.

The door calls `resolve` to refuse what it does not know; it imports nothing. The worker calls
`load`, which does. A robot names a policy, never code: Python factories are served only if the
server's operator listed them (`--allow_python=package.module:factory`).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rt_infer.policies.base import CannotLoad, Policy

HOLD = "hold"
PYTHON = "python"

LOADERS = {"reach": "rt_infer.policies.reach:load"}
"""Policy type to `module:function`, called as `function(path, device)` in a worker."""

LEROBOT = frozenset(
    {"act", "diffusion", "groot", "pi0", "pi0_fast", "pi05", "sac", "smolvla", "tdmpc", "vqbet"}
)
"""LeRobot's policy types, which people ask for: they are told what to do instead."""

_SERVERS_OWN = frozenset({"torch", "safetensors"})  # what `pip install '.[server]'` brings

_METHODS = ("reset", "prepare", "infer", "finish")


class UnknownPolicy(ValueError):
    """The server has no such policy, or its operator has not allowed it."""


@dataclass(frozen=True)
class PolicyKey:
    """What makes two robots share one worker."""

    policy_type: str
    path: str
    device: str

    def __str__(self) -> str:
        return f"{self.policy_type} ({self.path or 'as shipped'}, {self.device})"


def known(allow_python: Sequence[str] = ()) -> str:
    """The policies a robot may name, for a sentence."""
    names = [HOLD, *LOADERS]
    names += [f"{PYTHON} with pretrained_name_or_path={factory}" for factory in allow_python]
    return ", ".join(names)


def resolve(key: PolicyKey, allow_python: Sequence[str] = ()) -> str:
    """The `module:function` that loads `key`; UnknownPolicy if nothing may.

    `hold` has none: the door answers it itself.
    """
    if not (key.policy_type + key.path + key.device).isprintable():
        raise UnknownPolicy("A policy's type, path and device are printable text: correct them.")
    if key.policy_type == PYTHON:
        if key.path in allow_python:
            return key.path
        raise UnknownPolicy(
            f"The Python policy {key.path!r} is not allowed here; start the server with "
            f"--allow_python=package.module:factory, or name one of: {known(allow_python)}."
        )
    if key.policy_type in LEROBOT:
        raise UnknownPolicy(
            f"LeRobot's checkpoints ({key.policy_type!r}) are not supported yet: load it in a "
            "Python factory of your own, start the server with "
            "--allow_python=package.module:factory, and the robot with --policy_type=python "
            "--pretrained_name_or_path=package.module:factory (docs/policies.md)."
        )
    if key.policy_type not in LOADERS:
        raise UnknownPolicy(
            f"The server has no policy {key.policy_type!r}; name one of: {known(allow_python)}."
        )
    return LOADERS[key.policy_type]


def load(key: PolicyKey, allow_python: Sequence[str] = ()) -> Policy:
    """Import and call the loader; for a worker. A Python factory is called as `factory(device)`.

    Raises CannotLoad for what a user can mend, and whatever the loader raises.
    """
    function = _imported(resolve(key, allow_python))
    policy = function(key.device) if key.policy_type == PYTHON else function(key.path, key.device)
    missing = [name for name in ("spec", *_METHODS) if not hasattr(policy, name)]
    if missing:
        raise TypeError(
            f"What {key.path or key.policy_type} made has no {', '.join(missing)}; "
            "see the Policy protocol in rt_infer.policies.base."
        )
    return policy


def _imported(place: str) -> Callable[..., Policy]:
    module_name, _, function_name = place.partition(":")
    try:
        function: Callable[..., Policy] = getattr(
            importlib.import_module(module_name), function_name
        )
    except ModuleNotFoundError as error:
        if error.name in _SERVERS_OWN:
            raise CannotLoad(
                f"{error.name} is not installed: run pip install '.[server]' in rt-infer's folder."
            ) from error
        raise
    return function
