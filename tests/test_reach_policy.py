"""The shipped policy must reach what it sees, and must need to see it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the policy side needs the `server` extra")

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from examples.reach import evaluate, expert  # noqa: E402
from rt_infer.policies import reach  # noqa: E402
from rt_infer.policies.base import CannotLoad, Policy  # noqa: E402
from rt_infer.policies.reach_model import ReachModel, ReachSize, cubic_basis  # noqa: E402
from rt_infer.robots.fr3_kinematics import HOME_RAD, LOWER_RAD, UPPER_RAD  # noqa: E402
from rt_infer.robots.reach_scene import CAMERA_SHAPES, ReachScene  # noqa: E402

SCENE_SEED = 424242  # training draws its markers from other generators


@pytest.fixture(scope="module")
def policy() -> Policy:
    return reach.load("", "cpu")


def observation(scene: ReachScene, q_rad: np.ndarray) -> dict[str, np.ndarray | str]:
    seen: dict[str, np.ndarray | str] = {"observation.state": q_rad.astype(np.float32), "task": ""}
    for camera, shape in CAMERA_SHAPES.items():
        picture = np.zeros(shape, dtype=np.uint8)
        scene.render(camera, q_rad, picture)
        seen[f"observation.images.{camera}"] = picture
    return seen


def reached(brain: evaluate.Brain) -> int:
    scene = ReachScene(SCENE_SEED)
    evaluate.play(brain, scene)
    assert scene.score()["targets"] == 10
    return scene.score()["reached"]


def test_the_expert_reaches_every_marker() -> None:
    assert reached(evaluate.expert) == 10


def test_the_shipped_policy_reaches_at_least_nine_of_ten_markers(policy: Policy) -> None:
    assert reached(evaluate.through_cameras(policy)) >= 9


def test_with_the_pictures_of_another_scene_it_reaches_almost_nothing(policy: Policy) -> None:
    assert reached(evaluate.seeing_another_scene(policy, SCENE_SEED)) <= 2


def test_in_the_dark_it_reaches_almost_nothing(policy: Policy) -> None:
    assert reached(evaluate.blind(policy)) <= 2


def test_it_comes_to_rest_at_the_marker(policy: Policy) -> None:
    scene = ReachScene(SCENE_SEED)
    q = np.array(HOME_RAD)
    look = evaluate.through_cameras(policy)
    for _ in range(4):
        q = look(q, scene)[-1].astype(np.float64)
    chunk = look(q, scene)
    assert np.abs(chunk - q).max() < 0.02
    assert np.abs(np.diff(chunk, axis=0)).max() < 0.002


def test_a_chunk_continues_the_one_before_it(policy: Policy) -> None:
    scene = ReachScene(SCENE_SEED)
    look = evaluate.through_cameras(policy)
    first = look(np.array(HOME_RAD), scene)
    second = look(first[14].astype(np.float64), scene)
    assert np.abs(second[:30] - first[15:45]).max() < 0.06


def test_chunks_are_smooth_and_modest(policy: Policy) -> None:
    scene = ReachScene(SCENE_SEED)
    chunk = evaluate.through_cameras(policy)(np.array(HOME_RAD), scene)
    speed = np.diff(chunk, axis=0) * expert.FPS
    acceleration = np.diff(speed, axis=0) * expert.FPS
    assert np.abs(speed).max() < 1.2
    assert np.abs(acceleration).max() < 6.0
    assert np.all((chunk > LOWER_RAD + 0.05) & (chunk < UPPER_RAD - 0.05))


def test_the_spec_says_what_goes_in_and_what_comes_out(policy: Policy) -> None:
    spec = policy.spec
    assert spec.state == spec.actions == tuple(f"joint_{i}.pos" for i in range(1, 8))
    assert spec.images == {"front": (240, 320, 3), "side": (240, 320, 3)}
    assert (spec.chunk_size, spec.history, spec.fps) == (50, 1, 30.0)
    chunk = evaluate.through_cameras(policy)(np.array(HOME_RAD), ReachScene(1))
    assert chunk.shape == (50, 7)
    assert chunk.dtype == np.float32


def test_prepare_keeps_nothing_of_the_observations_memory(policy: Policy) -> None:
    seen = observation(ReachScene(3), np.array(HOME_RAD))
    batch = policy.prepare(seen)
    before = policy.finish(policy.infer(batch))
    for value in seen.values():
        if isinstance(value, np.ndarray):
            value.fill(0)
    assert np.array_equal(policy.finish(policy.infer(batch)), before)


def test_prepare_takes_read_only_memory(policy: Policy) -> None:
    seen = observation(ReachScene(3), np.array(HOME_RAD))
    expected = policy.finish(policy.infer(policy.prepare(seen)))
    for value in seen.values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    assert np.array_equal(policy.finish(policy.infer(policy.prepare(seen))), expected)


@pytest.mark.parametrize("missing", ["observation.images.side", "observation.state"])
def test_an_incomplete_observation_is_refused_by_name(policy: Policy, missing: str) -> None:
    seen = observation(ReachScene(3), np.array(HOME_RAD))
    del seen[missing]
    with pytest.raises(ValueError, match=missing):
        policy.prepare(seen)


def test_a_checkpoint_survives_saving_and_loading(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = ReachModel(ReachSize(width=16, heads=2)).eval()
    units = reach.Normalisation((0.0,) * 7, (1.0,) * 7, (1.0,) * 50, (0.1,) * 7)
    reach.save(tmp_path, model, units, {"seed": 0})
    batch = reach.ReachPolicy(model, units, "cpu").prepare(
        observation(ReachScene(3), np.array(HOME_RAD))
    )
    expected = reach.ReachPolicy(model, units, "cpu").infer(batch)
    assert torch.equal(reach.load(str(tmp_path), "cpu").infer(batch), expected)


def test_a_folder_without_a_checkpoint_and_a_foreign_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match=r"There is no config\.json"):
        reach.load(str(tmp_path), "cpu")
    (tmp_path / "config.json").write_text('{"format": "something else"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(CannotLoad, match="not a reach checkpoint"):
        reach.load(str(tmp_path), "cpu")


def test_the_time_basis_reproduces_straight_lines() -> None:
    basis = cubic_basis(50, 10)
    line = basis @ torch.arange(10.0)
    assert torch.allclose(basis.sum(1), torch.ones(50), atol=1e-6)
    assert torch.allclose(line.diff(), line.diff().mean().expand(49), atol=1e-5)


def test_a_device_that_is_not_there_is_told_in_one_sentence() -> None:
    for device in ("cuda:7", "nonsense"):
        with pytest.raises(CannotLoad, match=f"no device '{device}'.*--policy_device") as caught:
            reach.load("", device)
        assert "\n" not in str(caught.value)
