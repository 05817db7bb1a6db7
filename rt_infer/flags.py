"""Command lines and YAML files to configuration dataclasses (flag_tree.py, flag_file.py).

A flag is the path of a dataclass field: `--motion.speed=0.5` sets `config.motion.speed`. `--a-b`
and `--a_b` are the same flag; `--flag value` works like `--flag=value`; a boolean alone means true.
A `positional` flag may be a word of its own.
`--config_path=FILE.yaml` gives the same tree as YAML (or JSON, TOML); flags win over the file.

draccus decodes the values into the dataclasses, choices by `type` included. It does not read the
command line itself, for three reasons: its values are YAML before their type is known (a robot
called 007 would become 7, a task that begins with "include" would open a file), its errors are
tracebacks, and its help knows neither groups nor units.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING
from typing import Any, TypeVar

import draccus
from draccus import cfgparsing
from draccus.utils import DecodingError, ParsingError

from rt_infer import flag_file
from rt_infer.flag_tree import Flag, UsageError, closest, flags_of

T = TypeVar("T")
__all__ = ["CONFIG_FLAG", "UsageError", "flags_of", "notices", "parse"]

CONFIG_FLAG = "config_path"
_ABSENT = object()
_IN_WORDS = {
    "BOOL": "true or false",
    "INT": "whole number",
    "NUMBER": "number",
    "TEXT": "text",
}


def parse(config_class: type[T], argv: Sequence[str], command: str) -> T:
    """The configuration that `argv` describes. Raises UsageError; `command` is its subject."""
    known = {each.name: each for each in flags_of(config_class)}
    tree: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name, value in _pairs(argv, known, command):
        several = name in known and known[name].is_list
        given[name] = given.get(name, []) + value if several else value
    if CONFIG_FLAG in given:
        tree = flag_file.load(given.pop(CONFIG_FLAG), CONFIG_FLAG, known)
    for name, value in given.items():
        *parents, leaf = name.split(".")
        node: Any = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise UsageError(f"--{name} does not fit what the file says about {parent}.")
        node[leaf] = value
    required = [each for each in known.values() if each.default is MISSING]
    missing = [each for each in required if _in(tree, each.name) is _ABSENT]
    if missing:
        wanted = " and ".join(
            each.name.upper() if each.positional else f"--{each.name}=…" for each in missing
        )
        raise UsageError(f"{command} needs {wanted}; see {command} --help.")
    for name, each in known.items():
        if _in(tree, name) is None and not each.may_be_nothing:
            raise UsageError(f"--{name} is empty: give it a value, or leave it out.")
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


def _pairs(
    argv: Sequence[str], known: Mapping[str, Flag], command: str
) -> Iterator[tuple[str, Any]]:
    words = list(argv)
    bare = [each.name for each in known.values() if each.positional]
    while words:
        word = words.pop(0)
        if bare and not word.startswith("-"):
            yield bare.pop(0), word
            continue
        if not word.startswith("--") or word == "--":
            raise UsageError(f"{command} takes flags only, not {word!r}; see {command} --help.")
        name, equals, value = word[2:].partition("=")
        name = name.replace("-", "_")
        if name != CONFIG_FLAG and name not in known:
            close = closest(name, known)
            hint = f"did you mean --{close}?" if close else f"see {command} --help."
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
    if not text and known.may_be_nothing:
        return None
    try:
        value: Any = cfgparsing.parse_string(text)
    except Exception as error:
        raise UsageError(f"--{known.name} is not YAML: {_one_line(error)}.") from error
    return [value] if known.is_list and not isinstance(value, list) else value


def _in(tree: Any, name: str) -> Any:
    """The value of a flag in the tree, `_ABSENT` if it has none there."""
    for part in name.split("."):
        if not isinstance(tree, dict) or part not in tree:
            return _ABSENT
        tree = tree[part]
    return tree


def _sentence(error: ParsingError, config_class: type, command: str) -> str:
    """draccus' complaint as a sentence; a ValueError of our own validation is one already."""
    outer = getattr(error, "key_path", ())
    while isinstance(error.__cause__, ParsingError):  # of what may also be nothing: about the thing
        error = error.__cause__
    cause = error.__cause__
    if isinstance(cause, ValueError) and not isinstance(error, DecodingError):
        return str(cause)
    path = ".".join(map(str, getattr(error, "key_path", outer)))  # a mapping may have numbers
    # The deepest flag that the path leads into: robot.cameras for robot.cameras.front.fps.
    culprits = [f for f in flags_of(config_class) if f"{path}.".startswith(f"{f.name}.")]
    what = _one_line(getattr(error, "message", error))
    unknown = re.match(r"Couldn't find a choice class for '(.*)' in ", what)
    fields = re.match(r"(The fields|Missing required field\(s\)) (.*?) (?:are not|for) ", what)
    if what.startswith("Expected a dict "):  # and goes on about classes
        what = "an entry that must say its type does not: write {type: …, …}"
    elif unknown:
        what = f"type {unknown[1]!r} is not in this version of rt-infer"
    elif fields:
        names = fields[2].replace("`", "")
        what = f"it needs {names}" if "Missing" in fields[1] else f"it knows no {names}"
    elif culprits and culprits[0].name == path:
        value = re.search(r"(?:parse |value=)'(.*?)' (?:into|is not)", what)
        kind = _IN_WORDS.get(culprits[0].placeholder, "such value")
        what = f"{value[1] if value else 'that'} is no {kind}"
    where = f"--{path}" if culprits else command
    return f"{where}: {what}; see {command} --help."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
