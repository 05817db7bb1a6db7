"""What the pages say is there: the tests, links, flags and pictures that they name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from rt_infer.config import DemoConfig, ReplayConfig, RunConfig, ServerConfig
from rt_infer.flags import CONFIG_FLAG, flags_of

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]

# `path/of/test_file.py::test_name`, or a C++ file and the sentence of its TEST_CASE.
NAMED_TEST = re.compile(r"`([\w/]+\.(?:py|cpp))::([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FLAG = re.compile(r"(?<![\w-])--([a-z][\w.-]*\w)")
# Flags of other programs that the pages show: pip's, pytest-benchmark's.
STRANGERS = {"index-url", "benchmark-json"}


def names_of_tests(path: Path) -> set[str]:
    """The names of the tests in a Python or C++ file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        nodes = ast.walk(ast.parse(text))
        return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    literals = re.findall(r'TEST_CASE\(\s*((?:"[^"]*"\s*)+)\)', text)
    return {"".join(re.findall(r'"([^"]*)"', each)) for each in literals}


def test_every_test_that_the_safety_page_names_exists() -> None:
    page = (ROOT / "docs/safety.md").read_text(encoding="utf-8")
    named = NAMED_TEST.findall(page)
    assert len(named) > 40
    assert page.count("::") == len(named)  # none that the pattern passes over
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or name not in names_of_tests(ROOT / path)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    own = [link for link in links if not re.match(r"[a-z]+:|#", link)]
    lost = [link for link in own if not (page.parent / link.partition("#")[0]).exists()]
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_that_a_page_names_exists(page: Path) -> None:
    """LeRobot's own flags are among them: accepted, with a line that says why they do nothing."""
    kinds = (ServerConfig, RunConfig, DemoConfig, ReplayConfig)
    flags = {each.name for kind in kinds for each in flags_of(kind)}
    known = flags | STRANGERS | {CONFIG_FLAG, "help"}
    named = set(FLAG.findall(page.read_text(encoding="utf-8")))
    unknown = [name for name in named if not {name, name.replace("-", "_")} & known]
    assert sorted(unknown) == []


def test_every_picture_is_shown_and_small_enough_to_be_looked_at() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = sorted((ROOT / "docs/images").glob("motion-*.png"))
    assert len(pictures) >= 4
    for picture in pictures:
        assert f"images/{picture.name})" in text
        assert picture.stat().st_size <= 120_000
