"""A file of flags as a tree: YAML, JSON or TOML, nested or with dotted names, every name checked.

`robot: {type: sim_fr3}` and `robot.type: sim_fr3` say the same. What is no flag is refused with the
name that was probably meant: draccus would pass over it until something else is missing.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

from draccus import cfgparsing

from rt_infer.flag_tree import Flag, UsageError, closest


def load(path: str, flag: str, known: Mapping[str, Flag]) -> dict[str, Any]:
    """The tree in the file that `flag` named. UsageError: no such file, no such names, no sense."""
    try:
        with open(path, encoding="utf-8") as stream:
            content = cfgparsing.load_config(io.StringIO(stream.read()), file=path)
    except OSError as error:
        raise UsageError(f"--{flag}: cannot read {path}: {error.strerror}.") from error
    except Exception as error:  # the parser's own, which knows the line, is the cause
        reason = " ".join(str(error.__cause__ or error).split()).rstrip(".")
        raise UsageError(f"--{flag}: {path} is not valid: {reason}.") from error
    if not isinstance(content, dict):
        raise UsageError(f"--{flag}: {path} holds no names and values.")
    tree: dict[str, Any] = {}
    for name, value in _leaves(content, "", known):
        if name not in known:
            close = closest(name, known)
            hint = f"did you mean {close}?" if close else "--help lists them all."
            raise UsageError(f"--{flag}: {path} says {name}, which is no flag; {hint}")
        _put(tree, name, value, f"--{flag}: {path}")
    return tree


def _leaves(node: Mapping[Any, Any], prefix: str, known: Mapping[str, Flag]) -> Iterator[Any]:
    """Every flag that the tree gives, with its value; what lies below a flag is its value."""
    for key, value in node.items():
        name = f"{prefix}{key}"
        branch = any(each.startswith(f"{name}.") for each in known)
        if branch and isinstance(value, dict):
            yield from _leaves(value, f"{name}.", known)
        else:
            yield name, value


def _put(tree: dict[str, Any], name: str, value: Any, subject: str) -> None:
    *parents, leaf = name.split(".")
    for parent in parents:
        tree = tree.setdefault(parent, {})
    if leaf in tree:
        raise UsageError(f"{subject} gives {name} twice; leave one out.")
    tree[leaf] = value
