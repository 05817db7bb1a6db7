"""What a flag is: a leaf of a tree of configuration dataclasses, with what its help needs.

The path of a field is the flag's name: `--motion.speed` is `config.motion.speed`. Of a field that
has choices, `type` chooses the class; the flags of all classes stand side by side.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, field
from typing import Any

import draccus


class UsageError(Exception):
    """What was typed makes no run; the text is one sentence that says what to type instead."""


def flag(
    about: str,
    *,
    default: Any = MISSING,
    factory: Any = MISSING,
    group: str = "",
    notice: str = "",
    positional: bool = False,
) -> Any:
    """A dataclass field with what the help needs; `notice` is shown whenever the flag is given.

    A `positional` one may also be given as a word of its own.
    """
    metadata = {"help": about, "group": group, "notice": notice, "positional": positional}
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Flag:
    """One leaf of the configuration tree."""

    name: str
    hint: Any
    default: Any
    help: str
    group: str
    notice: str
    positional: bool = False

    @property
    def is_text(self) -> bool:
        return str in _alternatives(self.hint)

    @property
    def is_switch(self) -> bool:
        return bool in _alternatives(self.hint)

    @property
    def is_list(self) -> bool:
        return typing.get_origin(self.hint) is list

    @property
    def may_be_nothing(self) -> bool:
        return type(None) in _alternatives(self.hint)

    @property
    def choices(self) -> tuple[str, ...]:
        return typing.get_args(self.hint) if typing.get_origin(self.hint) is typing.Literal else ()

    @property
    def placeholder(self) -> str:
        if self.choices:
            return "|".join(self.choices)
        names: dict[Any, str] = {bool: "BOOL", int: "INT", float: "NUMBER", str: "TEXT"}
        names[list[str]] = "TEXT"
        return next((names[kind] for kind in _alternatives(self.hint) if kind in names), "YAML")


def flags_of(config_class: type) -> list[Flag]:
    """Every flag of a configuration class, in the order of its fields."""
    return list(_walk(config_class, "", ""))


def closest(name: str, known: Iterable[str]) -> str | None:
    """The flag that somebody who typed `name` probably meant: a sibling, or a leaf elsewhere."""
    parent, _, leaf = name.rpartition(".")
    leaves = [(each.rpartition(".")[0], each.rpartition(".")[2], each) for each in known]
    siblings = {theirs: each for its_parent, theirs, each in leaves if its_parent == parent}
    close = difflib.get_close_matches(leaf, siblings, n=1)
    if close:
        return siblings[close[0]]
    return next((each for _, theirs, each in leaves if theirs == leaf), None)


def _walk(config_class: type, prefix: str, group: str) -> Iterator[Flag]:
    hints = typing.get_type_hints(config_class)
    for each in dataclasses.fields(config_class):
        name, hint = prefix + each.name, hints[each.name]
        about = each.metadata.get("help", "")
        kin = each.metadata.get("group") or group
        if isinstance(hint, type) and issubclass(hint, draccus.ChoiceRegistry):
            choices = hint.get_known_choices()
            kinds: Any = typing.Literal[tuple(choices)]
            yield Flag(f"{name}.type", kinds, MISSING, about, kin, "")
            seen: set[str] = set()
            for choice in choices.values():
                for inner in _walk(choice, f"{name}.", kin):
                    if inner.name not in seen:
                        seen.add(inner.name)
                        yield inner
        elif dataclasses.is_dataclass(hint):
            yield from _walk(typing.cast(type, hint), f"{name}.", kin)
        else:
            default = each.default
            if each.default_factory is not MISSING:
                default = each.default_factory()
            notice = each.metadata.get("notice", "")
            positional = each.metadata.get("positional", False)
            yield Flag(name, hint, default, about, kin, notice, positional)


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)
