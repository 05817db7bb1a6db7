"""Runs in virtual time: the surface that property tests and plots of the motion stand on."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rt_infer import _core
from rt_infer.robot.region import Phase

READY = np.array([0.0, -np.pi / 4, 0.0, -3 * np.pi / 4, 0.0, np.pi / 2, np.pi / 4])


def reach(shift_rad: float, steps: int = 30) -> npt.NDArray[np.float64]:
    actions = np.tile(READY, (steps, 1))
    actions[:, 0] += shift_rad * np.linspace(0.0, 1.0, steps)
    return actions


def test_an_empty_script_holds_the_ready_pose() -> None:
    run = _core.simulate({}, 100)
    assert run["q_command"].shape == (100, 7)
    assert run["q_command"] == pytest.approx(np.tile(READY, (100, 1)))
    assert set(run["phase"]) == {Phase.HOLD}
    assert (run["reflex"], run["reflex_cycle"]) == (None, None)


def test_a_chunk_is_followed_to_its_last_target_within_the_limits() -> None:
    run = _core.simulate({}, 3000, chunks=[(20, reach(0.3), None, 5, None)])
    assert run["q_command"][-1] == pytest.approx(reach(0.3)[-1], abs=1e-6)
    assert run["counts"]["splices"] == 1
    assert run["counts"]["limiter_interventions"] == 0
    for ratio in ("velocity_ratio_max", "acceleration_ratio_max", "jerk_ratio_max"):
        assert 0.0 < run[ratio] <= 1.0


def test_the_same_script_gives_the_same_run_bit_for_bit() -> None:
    script: dict[str, Any] = {
        "chunks": [(20, reach(0.3), None, 5, None), (500, reach(-0.2), None, 450, None)],
        "requests": [(1200, "rest"), (2000, "follow"), (2500, "finish")],
        "lost": [(300, 4), (700, 9)],
        "new_epochs": [900],
    }
    first, second = (_core.simulate({}, 3000, **script) for _ in range(2))
    assert first.keys() == second.keys()
    for name, value in first.items():
        if isinstance(value, np.ndarray):
            assert value.tobytes() == second[name].tobytes()
        else:
            assert value == second[name]


def test_lost_cycles_are_the_arms_and_not_the_scripts() -> None:
    run = _core.simulate({}, 100, lost=[(50, 7)])
    assert len(run["time_ns"]) == 100
    assert run["elapsed_cycles"][50] == 8
    assert run["elapsed_cycles"].sum() == 107


def test_a_finished_run_is_shorter_than_its_script() -> None:
    run = _core.simulate(
        {}, 5000, chunks=[(20, reach(0.5, 90), None, 5, None)], requests=[(800, "finish")]
    )
    assert 800 < len(run["phase"]) < 5000
    assert run["phase"][-1] == Phase.FINISHED
    assert run["policy_rate"][-1] == 0.0


def test_twenty_lost_cycles_in_motion_stop_the_arm_where_the_script_says() -> None:
    run = _core.simulate({}, 1000, chunks=[(20, reach(0.5), None, 5, None)], lost=[(400, 25)])
    assert run["reflex"] == "communication_constraints_violation"
    assert run["reflex_cycle"] == 400


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        ((200, reach(0.3), None, 5, 7), "epoch"),  # an epoch that never was
        ((200, reach(0.3), None, 50, None), "epoch"),  # captured before the epoch at 100 began
        ((2500, reach(0.3), None, 200, None), "age"),
        ((200, reach(1.0) + 0.8, None, 150, None), "start"),
        ((200, reach(np.nan), None, 150, None), "not_finite"),
        ((200, reach(0.3)[:, :6], None, 150, None), "malformed"),
        ((200, reach(0.3), -40.0, 150, None), "late"),
        ((2600, reach(0.3), None, 2550, None), "stopping"),
    ],
)
def test_what_must_not_move_the_arm_is_refused_by_name(
    event: tuple[Any, ...], refusal: str
) -> None:
    run = _core.simulate({}, 3000, chunks=[event], new_epochs=[100], requests=[(2590, "rest")])
    refused = {name: count for name, count in run["counts"]["refused"].items() if count}
    assert refused == {refusal: 1}
    assert run["q_command"] == pytest.approx(np.tile(READY, (3000, 1)))
    assert run["reflex"] is None


def test_a_chunk_of_an_older_observation_than_the_last_admitted_is_refused() -> None:
    run = _core.simulate(
        {},
        1000,
        chunks=[(300, reach(0.1), None, 200, None), (400, reach(-0.1), None, 100, None)],
    )
    assert run["counts"]["refused"]["order"] == 1
    assert run["counts"]["chunks_admitted"] == 1


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ({"chunks": [(10, reach(0.1), None, 10, None)]}, "captured in an earlier one"),
        ({"chunks": [(10, READY, None, 5, None)]}, "actions are"),
        ({"requests": [(10, "jump")]}, "follow, rest or finish"),
    ],
)
def test_a_script_that_cannot_happen_is_refused(script: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        _core.simulate({}, 100, **script)


def test_the_simulated_arm_takes_its_options() -> None:
    pose = READY + 0.1
    run = _core.simulate({"arm": {"type": "sim_fr3", "start_pose_rad": pose.tolist()}}, 10)
    assert run["q"][0] == pytest.approx(pose)
