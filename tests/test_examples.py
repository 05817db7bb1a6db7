"""What the pages show is what works: commands, files, snippets, and the example end to end."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from e2e.processes import ROOT, RobotProgram, ServerProgram, assert_sound_motion
from serving import serving

from rt_infer.config import DemoConfig, ReplayConfig, RunConfig, ServerConfig
from rt_infer.flags import flags_of, parse
from rt_infer.policies.base import STATE_KEY
from rt_infer.robots.fr3_kinematics import HOME_RAD

KINDS: dict[str, type] = {
    "server": ServerConfig,
    "robot": RunConfig,
    "demo": DemoConfig,
    "replay": ReplayConfig,
}
FACTORY = "examples.python_policy.circles:make"
PAGES = ("README.md", "README.zh-CN.md", "docs/policies.md", "docs/recordings.md")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a page in a language, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return [re.sub(r" *#.*", "", block).strip() for block in found]


def commands(page: str) -> list[list[str]]:
    """Every complete `rt-infer` command of a page, as words."""
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [
        shlex.split(line)[1:] for line in lines if line.startswith("rt-infer") and "…" not in line
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_on_a_page_is_understood(page: str) -> None:
    assert len(commands(page)) >= 2
    for kind, *words in commands(page):
        parse(KINDS[kind], words, f"rt-infer {kind}")


def test_both_readmes_show_the_same_commands_files_and_code() -> None:
    for language in ("bash", "yaml", "python", "text"):
        assert blocks("README.md", language) == blocks("README.zh-CN.md", language), language


def test_the_file_of_flags_that_the_readme_shows_is_a_run(tmp_path: Path) -> None:
    (example,) = blocks("README.md", "yaml")
    file = tmp_path / "run.yaml"
    file.write_text(example)
    config = parse(RunConfig, [f"--config_path={file}"], "rt-infer robot")
    assert config.robot.id == "a"
    assert config.policy_type == "reach"


def test_the_snippet_of_the_readme_gets_a_chunk() -> None:
    (snippet,) = blocks("README.md", "python")
    with serving() as server:
        names: dict[str, Any] = {}
        exec(snippet.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}"), names)
    assert names["chunk"].actions.shape == (50, 7)
    assert set(names["chunk"].timing_ms) == {"queue", "prepare", "infer", "finish", "total"}


def test_the_example_goes_on_where_it_was_and_never_blows_up() -> None:
    from examples.python_policy.circles import make

    policy = make("cpu")
    for start in (HOME_RAD, np.zeros(7), np.full(7, -2.8)):
        state = np.asarray(start, np.float32)
        chunk = policy.finish(policy.infer(policy.prepare({STATE_KEY: state})))
        assert (chunk.shape, chunk.dtype) == ((50, 7), np.float32)
        assert np.isfinite(chunk).all()
        np.testing.assert_allclose(chunk[0], state)
        again = policy.finish(policy.infer(policy.prepare({STATE_KEY: chunk[20]})))
        np.testing.assert_allclose(again[:30], chunk[20:], atol=1e-5)


def test_the_sketch_around_a_torch_module_answers_in_radians(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    class Network(torch.nn.Module):
        def forward(self, pixels: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
            assert pixels.shape == (1, 2, 3, 240, 320)
            torch.testing.assert_close(pixels, torch.full_like(pixels, 2.0))  # (1 - 0.5) / 0.25
            return state[:, None].expand(1, 100, 7)

    stats = SimpleNamespace(pixel_mean=0.5, pixel_std=0.25, state_mean=0.1, state_std=2.0)
    stats.action_mean, stats.action_std = 0.1, 2.0
    theirs = SimpleNamespace(load_act=lambda device: (Network().to(device), stats))
    monkeypatch.setitem(sys.modules, "my_act", theirs)
    (sketch,) = blocks("docs/policies.md", "python")
    names: dict[str, Any] = {}
    exec(sketch, names)
    policy = names["make"]("cpu")
    white = np.full((240, 320, 3), 255, np.uint8)
    observation = {f"observation.images.{name}": white for name in policy.spec.images}
    observation[STATE_KEY] = np.linspace(-0.3, 0.3, 7, dtype=np.float32)
    chunk = policy.finish(policy.infer(policy.prepare(observation)))
    assert (chunk.shape, chunk.dtype) == ((policy.spec.chunk_size, 7), np.float32)
    np.testing.assert_allclose(chunk, np.tile(observation[STATE_KEY], (100, 1)), atol=1e-6)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_both_readmes_name_every_flag(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"--([a-z_.]+)", text))
    flags = {each.name for kind in (ServerConfig, RunConfig) for each in flags_of(kind)}
    assert flags - named == set()


@pytest.fixture
def run_of_the_example(tmp_path: Path) -> Iterator[RobotProgram]:
    """The page's two commands, on a free port and for a few seconds."""
    server_words, robot_words = (words[1:] for words in commands("docs/policies.md"))
    assert server_words == [f"--allow_python={FACTORY}"]
    kept = [w for w in robot_words if not w.startswith(("--robot.id", "--duration_s"))]
    server = ServerProgram(tmp_path, words=server_words)
    try:
        robot = RobotProgram(tmp_path, "circles", server.port, *kept, "--duration_s=4")
        try:
            yield robot
        finally:
            robot.end()
    finally:
        server.end()


def test_the_example_moves_the_arm_in_circles_and_breaks_no_rule(
    run_of_the_example: RobotProgram,
) -> None:
    robot = run_of_the_example
    with robot.region() as region:
        start_rad = robot.until(region, "the first state", lambda now: now.cycle > 0).q
        far = robot.until(region, "half a lap", lambda now: now.q[3] > start_rad[3] + 0.15)
    np.testing.assert_allclose(far.q[[0, 2, 4]], 0.0, atol=0.02)
    assert robot.wait() == 0, robot.errors
    report = robot.report
    assert report["outcome"] == "finished"
    assert report["steps"]["executed"] > 60
    assert report["steps"]["holds"] == 0
    assert report["chunks"]["received"] >= 3
    assert report["chunks"]["refused"] == 0
    assert report["motion"]["limiter_interventions"] == 0
    assert_sound_motion(report)
    assert unexplained(report) == set()


def unexplained(report: dict[str, Any]) -> set[str]:
    """Keys of a report that docs/report.md does not explain."""
    words = set(re.findall(r"[a-z0-9_]+", (ROOT / "docs/report.md").read_text(encoding="utf-8")))
    return set(_keys(json.loads(json.dumps(report)))) - words


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
