"""One guard of the motion: a few words of a source that keep a promise, and who notices."""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    """`text` stands in `file` exactly once; with `without` in its place all `cases` turn red."""

    name: str
    file: str  # under csrc/
    text: str
    without: str
    cases: tuple[str, ...]  # names of doctest cases
