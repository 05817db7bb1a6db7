"""What the door must not contain: a model framework, pickle, code named by a robot."""

from __future__ import annotations

import ast
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from serving import DoorProcess, RawRobot, observation, page, robot

from rt_infer.wire.client import Client, ObservationSpec

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "rt_infer"
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
CAMERAS = {"front": (240, 320, 3), "side": (240, 320, 3)}


def sources() -> list[Path]:
    """Every Python file of the package."""
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 30
    return found


def imported(tree: ast.AST) -> set[str]:
    """The top-level modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_of_ours_unpickles_or_evaluates(path):
    tree = ast.parse(path.read_text())
    assert not imported(tree) & FORBIDDEN_MODULES
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS
        if isinstance(node, ast.keyword):
            assert node.arg != "allow_pickle"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) != ("torch", "load"), "weights come as safetensors"


def test_no_extension_of_ours_mentions_pickle():
    for path in (ROOT / "bindings").iterdir():
        assert not re.search(r"import\s+pickle|py::pickle|__reduce__|PyRun_", path.read_text())


def test_only_policies_and_the_worker_may_import_torch():
    assert {path.parent.name for path in sources() if "torch" in imported_by(path)} == {"policies"}


def imported_by(path: Path) -> set[str]:
    """As `imported`, of a file."""
    return imported(ast.parse(path.read_text()))


@pytest.fixture
def checkpoint(tmp_path):
    """An untrained reach policy on disk: the real loader, the real network, no training."""
    reach = pytest.importorskip("rt_infer.policies.reach")
    from rt_infer.policies.reach_model import ReachModel, ReachSize

    size = ReachSize()
    units = reach.Normalisation(
        state_mean_rad=(0.0,) * 7,
        state_scale_rad=(1.0,) * 7,
        step_scale=(0.01,) * size.chunk,
        joint_scale_rad=(1.0,) * 7,
    )
    reach.save(tmp_path, ReachModel(size), units, {})
    return tmp_path


def test_a_door_that_serves_torch_has_none_itself_and_unpickles_nothing(checkpoint):
    spec = ObservationSpec(state=7, images=CAMERAS, task=False)
    rng = np.random.default_rng(5)
    seen = {"observation.state": rng.uniform(-0.1, 0.1, 7).astype(np.float32)}
    for name, shape in CAMERAS.items():
        seen[f"observation.images.{name}"] = rng.integers(0, 256, shape, np.uint8)
    with DoorProcess() as door:
        with Client(
            f"127.0.0.1:{door.port}",
            spec,
            policy_type="reach",
            pretrained_name_or_path=str(checkpoint),
        ) as reacher:
            chunk = reacher.infer(seen)
            with robot(door.port, "hold") as holder:
                assert (holder.infer(observation(0.5)).actions[:, 0] == 0.5).all()
            assert (reacher.infer(seen).actions == chunk.actions).all()
        with robot(door.port, "echo") as client:
            client.infer(observation())
        for path in ("/", "/metrics", "/readyz"):
            page(door.port, path)
        with RawRobot(door.port, "hold") as raw:
            raw.observe()
            raw.receive()
        report = door.report()
    assert chunk.actions.shape == (50, 7)
    assert report["torch"] == []
    assert report["unpickled"] == []
    assert not report["planted"], "a factory was imported into the door"

    from rt_infer.policies.reach import load

    policy = load(str(checkpoint), "cpu")
    expected = policy.finish(policy.infer(policy.prepare(seen)))
    np.testing.assert_allclose(chunk.actions, expected, atol=1e-6)


def test_the_module_serves_and_ends_in_order_on_a_signal():
    for number in (signal.SIGTERM, signal.SIGINT):
        server = subprocess.Popen(
            [sys.executable, "-m", "rt_infer.server", "--port=0"],
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        try:
            line = server.stderr.readline()
            port = int(line.rpartition(":")[2])
            with robot(port, "hold") as client:
                client.infer(observation())
                server.send_signal(number)
                assert server.wait() == 0
        finally:
            server.kill()
            server.wait()
            server.stderr.close()
