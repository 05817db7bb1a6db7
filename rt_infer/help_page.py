"""The page that `rt-infer COMMAND --help` prints, made from the configuration's own fields."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import MISSING

from rt_infer.flag_tree import Flag, flags_of
from rt_infer.flags import CONFIG_FLAG

_INDENT = 34  # column where descriptions begin


def help_text(config_class: type, command: str, about: str) -> str:
    """The page that `--help` prints: flags by group, with defaults and units."""
    flags = flags_of(config_class)
    required = " ".join(_head(each) for each in flags if each.default is MISSING)
    lines = [" ".join(f"usage: {command} {required} [flags]".split()), "", about]
    width = min(shutil.get_terminal_size((100, 24)).columns, 100)
    groups: dict[str, list[Flag]] = {}
    for each in flags:
        groups.setdefault(each.group, []).append(each)
    for group, members in groups.items():
        lines += ["", f"{group or 'flags'}:"]
        for each in members:
            head = f"  {_head(each)}"
            text = each.help or each.notice.rstrip(".")
            body = textwrap.wrap(text + _default_note(each), max(width - _INDENT, 30))
            if len(head) > _INDENT - 2:
                lines.append(head)
                head = ""
            lines += [f"{head:<{_INDENT}}{body[0]}"]
            lines += [" " * _INDENT + rest for rest in body[1:]]
    file_flag = f"  --{CONFIG_FLAG}=FILE.yaml"
    lines += ["", "files:"]
    lines += [f"{file_flag:<{_INDENT}}the same names as a YAML tree; flags win over the file"]
    return "\n".join(lines) + "\n"


def _head(each: Flag) -> str:
    return each.name.upper() if each.positional else f"--{each.name}={each.placeholder}"


def _default_note(each: Flag) -> str:
    if each.default is MISSING:
        return " (required)"
    if each.default is None or each.default == "" or isinstance(each.default, (dict, list)):
        return ""
    text = str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
    return f" [{text}]"
