"""Records what the shipped reach policy says, and how well it does under each splice rule.

    python benches/record_reach_stream.py            writes benches/data/reach_stream.npz
    python benches/record_reach_stream.py score    every rule in closed loop: markers reached

The policy looks at the rendered scene and the arm of a run in virtual time, and that arm follows it
100 ms later: a closed loop without a clock. Recorded is its answer at every SPACING-th step, of
which the arm is given those that a robot would have asked for. The recorded arm follows
`latest_only`, which adds nothing of its own to what the policy said.

Needs torch.
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from splice_streams import CHUNK, FPS, RECORDING, SPACING, STEPS, Array

from rt_infer import _core
from rt_infer.policies import reach
from rt_infer.policies.base import IMAGE_KEY_PREFIX, STATE_KEY
from rt_infer.robots.fr3_kinematics import HOME_RAD
from rt_infer.robots.reach_scene import CAMERA_SHAPES, ReachScene

UNIT_RAD = 1e-5
FIRST_CAPTURE = 10  # cycles


class Loop(NamedTuple):
    """What came of a closed loop: the policy's answers (N, T, 7), and the scene's score."""

    answers: Array
    score: dict[str, int]
    took_s: float


class World:
    """The policy, its scene, and the run so far."""

    def __init__(self, rule: str, seed: int) -> None:
        self.config = {
            "aggregate": rule,
            "arm": {"type": "sim_fr3", "start_pose_rad": HOME_RAD.tolist()},
        }
        self.scene = ReachScene(seed, targets=10)
        self.policy = reach.load("", "cpu")
        self.chunks: list[tuple[int, Array, None, int, None]] = []
        self.seen = 0  # cycles that the scene knows of

    def play(self, cycles: int) -> dict[str, Any]:
        return _core.simulate(self.config, cycles, chunks=self.chunks)

    def show(self, run: dict[str, Any], cycle: int) -> None:
        """Let the scene see the arm up to this cycle."""
        for at in range(self.seen, cycle, 10):
            self.scene.update(run["q"][at], at / 1000)
        self.seen = max(self.seen, cycle)

    def answer(self, q_rad: Array) -> Array:
        observation: dict[str, Any] = {STATE_KEY: q_rad.astype(np.float32)}
        for camera, shape in CAMERA_SHAPES.items():
            picture = np.empty(shape, np.uint8)
            self.scene.render(camera, q_rad, picture)
            observation[IMAGE_KEY_PREFIX + camera] = picture
        policy = self.policy
        chunk = policy.finish(policy.infer(policy.prepare(observation)))
        return chunk.astype(np.float64)


def closed_loop(rule: str, *, seed: int, latency: int = 100, record: bool = False) -> Loop:
    """Play the scene; `record`: for STEPS steps, asking at every SPACING-th; else to its end."""
    world, answers = World(rule, seed), []
    capture, asked_at_step = FIRST_CAPTURE, 0.0
    while True:
        run = world.play(capture + 1)
        world.show(run, capture)
        if not record and world.scene.done:
            return Loop(np.array(answers), world.scene.score(), capture / 1000)
        q = run["q"][capture]
        chunk = world.answer(q)
        if record:
            answers.append(chunk)
        world.chunks.append((capture + latency, chunk, None, capture, None))
        # Half a chunk later, or where the arm has come to rest.
        run = world.play(capture + latency + 4000)
        step = run["policy_step"]
        asked_at_step += CHUNK / 2
        due = np.flatnonzero(step >= asked_at_step)
        after = int(due[0]) if len(due) else len(step) - 1
        if record:
            for wanted in np.arange(asked_at_step - CHUNK / 2 + SPACING, asked_at_step, SPACING):
                at = int(np.flatnonzero(step >= wanted)[0])
                world.show(run, at)
                answers.append(world.answer(run["q"][at]))
            if asked_at_step >= STEPS:
                return Loop(np.array(answers), world.scene.score(), after / 1000)
        capture = after


def main() -> None:
    if "score" in sys.argv[1:]:
        rules = ["weighted_average", "latest_only", "average", "conservative"]
        for rule in [*rules, "crossfade", "offset_decay"]:
            played = [closed_loop(rule, seed=seed) for seed in range(2)]
            reached = sum(loop.score["reached"] for loop in played)
            took_s = sum(loop.took_s for loop in played)
            print(f"{rule:18} {reached} of 20 markers in {took_s:.1f} s")
        return
    loop = closed_loop("latest_only", seed=0, record=True)
    units = np.rint(loop.answers / UNIT_RAD).astype(np.int32)
    units[:, 1:] = np.diff(units, axis=1)  # small numbers, for the compressor
    RECORDING.parent.mkdir(exist_ok=True)
    np.savez_compressed(RECORDING, start_rad=HOME_RAD, unit_rad=UNIT_RAD, units=units)
    size = RECORDING.stat().st_size / 1000
    print(f"{RECORDING.name}: {loop.answers.shape}, {loop.score}, {size:.0f} kB")
    assert FPS == reach.FPS and loop.answers.shape[1] == CHUNK


if __name__ == "__main__":
    main()
