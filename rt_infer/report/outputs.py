"""Whether what a run is to leave behind can be written: asked before the arm moves, not after."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from rt_infer.config import RunConfig


def obstacle(config: RunConfig) -> str | None:
    """Why --report, --plot or --record could not be written, in a sentence; None if they can."""
    for name, path in (
        ("report", config.report),
        ("plot", config.plot),
        ("record", config.record),
    ):
        reason = _why_not_writable(Path(path)) if path else None
        if reason is not None:
            return f"--{name}={path} cannot be written: {reason}."
    if config.plot and find_spec("matplotlib") is None:
        return (
            "--plot needs matplotlib, which is not installed: run pip install '.[plot]' in "
            "rt-infer's folder, or leave --plot out."
        )
    return None


def _why_not_writable(path: Path) -> str | None:
    folder = path.absolute().parent
    if path.is_dir():
        return "it is a folder; name a file"
    if not folder.is_dir():
        return f"the folder {folder} is not there; make it first"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"this user may not write into {folder}; choose another place"
    if path.exists() and not os.access(path, os.W_OK):
        return "this user may not change it; choose another name"
    return None
