"""Command lines and YAML files to configuration dataclasses; help_page.py writes about them.

A flag is the path of a dataclass field: `--motion.speed=0.5` sets `config.motion.speed`. `--a-b`
and `--a_b` are the same flag; `--flag value` works like `--flag=value`; a boolean alone means true.
`--config_path=FILE.yaml` gives the same tree as YAML (or JSON, TOML); flags win over the file.

draccus decodes the values into the dataclasses, choices by `type` included. It does not read the
command line itself, for three reasons: its values are YAML before their type is known (a robot
called 007 would become 7, a task that begins with "include" would open a file), its errors are
tracebacks, and its help knows neither groups nor units.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from typing import Any, TypeVar

import draccus
from draccus import cfgparsing
from draccus.utils import DecodingError, ParsingError

T = TypeVar("T")
CONFIG_FLAG = "config_path"


class UsageError(Exception):
    """What was typed makes no run; the text is one sentence that says what to type instead."""


def flag(
    about: str,
    *,
    default: Any = MISSING,
    factory: Any = MISSING,
    group: str = "",
    notice: str = "",
) -> Any:
    """A dataclass field with what the help needs; `notice` is shown whenever the flag is given."""
    metadata = {"help": about, "group": group, "notice": notice}
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


def parse(config_class: type[T], argv: Sequence[str], command: str) -> T:
    """The configuration that `argv` describes. Raises UsageError; `command` is its subject."""
    known = {each.name: each for each in flags_of(config_class)}
    tree: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name, value in _pairs(argv, known, command):
        several = name in known and known[name].is_list
        given[name] = given.get(name, []) + value if several else value
    if CONFIG_FLAG in given:
        tree = _load_file(given.pop(CONFIG_FLAG))
    for name, value in given.items():
        *parents, leaf = name.split(".")
        node: Any = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise UsageError(f"--{name} does not fit what the file says about {parent}.")
        node[leaf] = value
    missing = [each.name for each in known.values() if each.default is MISSING]
    missing = [name for name in missing if not _has(tree, name)]
    if missing:
        wanted = " and ".join(f"--{name}=…" for name in missing)
        raise UsageError(f"{command} needs {wanted}; see {command} --help.")
    try:
        return draccus.decode(config_class, tree)  # type: ignore[no-any-return]
    except ParsingError as error:
        raise UsageError(_sentence(error, config_class, command)) from error


def notices(config: Any) -> list[str]:
    """One line for every flag that was given a value although it has no effect here."""
    told = []
    for each in flags_of(type(config)):
        value = config
        for part in each.name.split("."):
            value = getattr(value, part, None)
        if each.notice and value != each.default:
            told.append(f"--{each.name} has no effect: {each.notice}")
    return told


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
            yield Flag(name, hint, default, about, kin, each.metadata.get("notice", ""))


def _pairs(
    argv: Sequence[str], known: Mapping[str, Flag], command: str
) -> Iterator[tuple[str, Any]]:
    words = list(argv)
    while words:
        word = words.pop(0)
        if not word.startswith("--") or word == "--":
            raise UsageError(f"{command} takes flags only, not {word!r}; see {command} --help.")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name != CONFIG_FLAG and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean --{close[0]}?" if close else f"see {command} --help."
            raise UsageError(f"{command} has no flag --{name}; {hint}")
        if not equals:
            alone = not words or words[0].startswith("--")
            if alone and name in known and known[name].is_switch:
                value = "true"
            elif alone:
                raise UsageError(f"--{name} needs a value: --{name}=…")
            else:
                value = words.pop(0)
        yield name, value if name == CONFIG_FLAG else _value(known[name], value)


def _value(known: Flag, text: str) -> Any:
    """Text stays as it was typed; everything else is YAML, as in a file."""
    if known.choices and text not in known.choices:
        known_ones = " or ".join(known.choices)
        raise UsageError(
            f"--{known.name}={text} is not in this version of rt-infer; it knows {known_ones}."
        )
    if known.is_text or known.choices:
        return text
    if not text and type(None) in _alternatives(known.hint):
        return None
    try:
        value: Any = cfgparsing.parse_string(text)
    except Exception as error:
        raise UsageError(f"--{known.name} is not YAML: {_one_line(error)}.") from error
    return [value] if known.is_list and not isinstance(value, list) else value


def _load_file(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as stream:
            tree = cfgparsing.load_config(io.StringIO(stream.read()), file=path)
    except OSError as error:
        raise UsageError(f"--{CONFIG_FLAG}: cannot read {path}: {error.strerror}.") from error
    except Exception as error:
        raise UsageError(f"--{CONFIG_FLAG}: {path} is not valid: {_one_line(error)}.") from error
    if not isinstance(tree, dict):
        raise UsageError(f"--{CONFIG_FLAG}: {path} holds no names and values.")
    return tree


def _has(tree: Any, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _sentence(error: ParsingError, config_class: type, command: str) -> str:
    """draccus' complaint as a sentence; a ValueError of our own validation is one already."""
    cause = error.__cause__
    if isinstance(cause, ValueError) and not isinstance(error, DecodingError):
        return str(cause)
    path = ".".join(getattr(error, "key_path", ()))
    # The deepest flag that the path leads into: robot.cameras for robot.cameras.front.fps.
    culprits = [f for f in flags_of(config_class) if f"{path}.".startswith(f"{f.name}.")]
    what = _one_line(getattr(error, "message", error))
    unknown = re.match(r"Couldn't find a choice class for '(.*)' in ", what)
    if unknown:
        what = f"type {unknown[1]!r} is not in this version of rt-infer"
    elif culprits and culprits[0].name == path:
        value = re.search(r"(?:parse |value=)'(.*?)'", what)
        what = f"{value[1] if value else 'that'} is no {culprits[0].placeholder}"
    where = f"--{path}" if culprits else command
    return f"{where}: {what}; see {command} --help."


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
