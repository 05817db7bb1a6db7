"""Checks the report of a demo run: python scripts/check_demo_report.py run.json [run.png]

The demo must finish by itself, reach at least nine of ten targets, and never touch a limit: no
reflex, no intervention of the limiter, every ratio of commanded motion to the arm's limit at most
1. Prints each failed condition and exits 1, or prints one line and exits 0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

RATIOS = ("velocity_ratio_max", "acceleration_ratio_max", "jerk_ratio_max")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def failures(report: dict[str, Any]) -> list[str]:
    """The conditions that a report breaks, one sentence each; empty when all hold."""
    task, motion = report["task"] or {}, report["motion"]
    targets, reached = task.get("targets", 0), task.get("reached", 0)
    ratios = {name: motion[name] for name in RATIOS}
    conditions = [
        (
            report["schema"] == "rt-infer.run/1",
            f"the schema is {report['schema']}, not rt-infer.run/1",
        ),
        (
            report["outcome"] == "finished" and report["fault"] is None,
            f"the run ended as {report['outcome']} (fault: {report['fault']}), not as finished",
        ),
        (targets >= 10, f"only {targets} targets were shown, not 10"),
        (10 * reached >= 9 * targets, f"only {reached} of {targets} targets were reached"),
        (report["steps"]["executed"] > 0, "no policy step was executed"),
        (report["chunks"]["received"] > 0, "no chunk was received"),
        (motion["reflexes"] == [], f"the arm stopped by reflex: {motion['reflexes']}"),
        (
            motion["limiter_interventions"] == 0,
            f"the limiter changed {motion['limiter_interventions']} commands",
        ),
    ]
    # A ratio of zero is a fault too: an arm that never moved keeps every limit.
    conditions += [
        (0.0 < ratio <= 1.0, f"{name} is {ratio}, not in (0, 1]") for name, ratio in ratios.items()
    ]
    return [sentence for holds, sentence in conditions if not holds]


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    broken = failures(report)
    if len(arguments) == 2:
        plot = Path(arguments[1])
        if not plot.is_file() or not plot.read_bytes().startswith(PNG_SIGNATURE):
            broken.append(f"{plot} is not a PNG image")
    for sentence in broken:
        print(f"demo: {sentence}.", file=sys.stderr)
    if broken:
        return 1
    task = report["task"]
    print(f"demo: {task['reached']} of {task['targets']} targets, no limit touched.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
