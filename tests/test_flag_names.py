"""No sentence of the program names a flag that there is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import rt_infer
from rt_infer.config import DemoConfig, RunConfig, ServerConfig
from rt_infer.flags import CONFIG_FLAG, flags_of

# The command's own, and those of a worker process, which only the door starts.
OTHERS = {CONFIG_FLAG, "help", "version", "channel", "door", "type", "path", "device"}
FLAG = re.compile(r"(?<![\w-])--([a-z][\w.]*\w)")


def sentences(tree: ast.AST) -> Iterator[str]:
    """Every text in the code but docstrings, which may speak of flags in general."""
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = isinstance(node, ast.Constant) and id(node) not in remarks
        if text and isinstance(node.value, str):
            yield node.value


def test_every_flag_that_a_sentence_names_exists() -> None:
    kinds = (ServerConfig, RunConfig, DemoConfig)
    known = {each.name for kind in kinds for each in flags_of(kind)} | OTHERS
    named = {
        (name, str(path))
        for path in Path(rt_infer.__file__).parent.rglob("*.py")
        for sentence in sentences(ast.parse(path.read_text()))
        for name in FLAG.findall(sentence)
    }
    assert len(named) > 30
    assert sorted((name, path) for name, path in named if name not in known) == []
