"""Every splice rule on the same streams of chunks: which motion is the most beautiful?

    python benches/splice_rules.py      prints the tables, writes benches/results/splice_rules.json

In virtual time (csrc/benches/splice_rules.cpp): equal code gives equal figures on every machine.
Each line of a table is of fifteen runs: latencies of 20, 50, 100, 200 and 300 ms, each steady, with
jitter (0.5 to 1.5 of it), and with losses (one answer in eleven, two in a row on average).
`docs/figures/splice_rules.py` puts the tables into docs/motion.md.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import programs
from splice_streams import Stream, streams

from rt_infer import _core
from rt_infer.config import MotionConfig

RESULTS = Path(__file__).parent / "results" / "splice_rules.json"
DEFAULT = "weighted_average"

COLUMNS = {
    "acceleration_ratio_max": "acceleration / limit",
    "jerk_ratio_max": "jerk / limit",
    "jerk_rms_rad_s3": "RMS jerk [rad/s³]",
    "splice_jump_max_mrad": "jump [mrad]",
    "policy_distance_rms_mrad": "from the policy [mrad]",
    "bends": "bends",
    "lost_to_slowing_s": "lost [s]",
    "holds": "holds",
    "limiter_interventions": "limiter",
}
# What decides: rough motion and lost obedience and lost time, all the smaller the better. (Holds
# belong to the network; bends and jumps are means to these ends.)
CRITERIA = ("acceleration_ratio_max", "jerk_rms_rad_s3", "policy_distance_rms_mrad",
            "lost_to_slowing_s")  # fmt: skip
WORSE, BETTER = 1.02, 0.90
"""A rule takes the default's place if no criterion of any stream is more than 2 % worse with it and
at least one is 10 % better on every stream."""

Run = dict[str, Any]


def play(stream: Stream) -> list[Run]:
    """All rules, networks and latencies on one stream."""
    with tempfile.NamedTemporaryFile(suffix=".stream") as file:
        stream.write(Path(file.name))
        tolerance_urad = round(1e6 * MotionConfig().tolerance)  # as users have it
        return programs.lines("splice_rules", file.name, tolerance_urad)


def summary(runs: Sequence[Run]) -> dict[str, float]:
    """The worst of the peaks, means over all cycles, sums of what is counted.

    Jumps are those of runs without losses: where a chunk comes as the actions run out, nothing is
    left of the old path that any rule could blend with.
    """
    cycles = sum(run["followed_cycles"] for run in runs)

    def most(name: str, networks: Sequence[str] = ("steady", "jitter", "loss")) -> float:
        return float(max(run[name] for run in runs if run["network"] in networks))

    def total(name: str) -> float:
        return float(sum(run[name] for run in runs))

    return {
        "acceleration_ratio_max": most("acceleration_ratio_max"),
        "jerk_ratio_max": most("jerk_ratio_max"),
        "jerk_rms_rad_s3": math.sqrt(total("jerk_squared_sum") / cycles),
        "splice_jump_max_mrad": 1e3 * most("splice_jump_max_rad", ("steady", "jitter")),
        "policy_distance_rms_mrad": 1e3 * math.sqrt(total("policy_distance_squared_sum") / cycles),
        "bends": total("bends"),
        "lost_to_slowing_s": total("lost_to_slowing_s"),
        "holds": total("holds"),
        "limiter_interventions": total("limiter_interventions"),
    }


def raw(stream: Stream) -> str:
    """What the arm says of the same targets as they come, without any rule."""
    targets = stream.raw_targets()
    targets[0] = stream.start_rad  # not even a first jump
    taken, reflex = _core.judge(stream.start_rad, targets)
    if reflex is None:
        return f"raw targets at 30 Hz: all {taken} commands accepted"
    return f"raw targets at 30 Hz: command {taken + 1} stops the arm, {reflex}"


def contenders(tables: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Rules that would take the default's place by the stated criterion."""
    rules = [rule for rule in next(iter(tables.values())) if rule != DEFAULT]

    def ratios(rule: str, criterion: str) -> list[float]:
        return [
            (table[rule][criterion] + 1e-9) / (table[DEFAULT][criterion] + 1e-9)
            for table in tables.values()
        ]

    return [
        rule
        for rule in rules
        if all(max(ratios(rule, each)) <= WORSE for each in CRITERIA)
        and any(max(ratios(rule, each)) <= BETTER for each in CRITERIA)
    ]


def compare() -> dict[str, Any]:
    """Play everything; what results/splice_rules.json holds."""
    told: dict[str, Any] = {"schema": "rt-infer.splice_rules/1", "default": DEFAULT, "streams": []}
    tables = {}
    for stream in streams():
        runs = play(stream)
        rules = dict.fromkeys(run["rule"] for run in runs)
        table = {rule: summary([run for run in runs if run["rule"] == rule]) for rule in rules}
        tables[stream.name] = table
        told["streams"].append(
            {
                "name": stream.name,
                "about": stream.about,
                "raw": raw(stream),
                "rules": table,
                "runs": runs,
            }
        )
    told["better_than_default"] = contenders(tables)
    return told


def page(told: dict[str, Any]) -> list[str]:
    """The tables for people."""
    lines = ["splice rules on the same streams, 15 runs a line, virtual time"]
    for stream in told["streams"]:
        lines += ["", f"{stream['name']}: {stream['about']}", f"  {stream['raw']}"]
        lines.append(f"  {'':18}" + "".join(f"{name:>24}" for name in COLUMNS.values()))
        for rule, figures in stream["rules"].items():
            values = "".join(f"{shown(figures[name]):>24}" for name in COLUMNS)
            lines.append(f"  {rule:18}{values}")
    better = ", ".join(told["better_than_default"]) or "none"
    return [*lines, "", f"better than {DEFAULT} by the stated criterion: {better}"]


def shown(value: float) -> str:
    """Whole numbers as they are, others with three digits."""
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.3g}"


def write(told: dict[str, Any]) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    result = compare()
    write(result)
    print("\n".join(page(result)))
