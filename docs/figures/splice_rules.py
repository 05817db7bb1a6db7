"""Writes the tables of the splice rules into docs/motion.md.

python benches/splice_rules.py          plays them all
python docs/figures/splice_rules.py     what is between the two marks is written anew
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "motion.md"
RESULTS = ROOT / "benches" / "results" / "splice_rules.json"
BEGIN, END = "<!-- splice rules: written by docs/figures/splice_rules.py -->", "<!-- end -->"

COLUMNS = {
    "acceleration_ratio_max": "acceleration / limit",
    "jerk_ratio_max": "jerk / limit",
    "jerk_rms_rad_s3": "RMS jerk [rad/s³]",
    "splice_jump_max_mrad": "jump [mrad]",
    "policy_distance_rms_mrad": "from the policy [mrad]",
    "bends": "bends",
    "lost_to_slowing_s": "lost [s]",
}


def table(stream: dict[str, Any]) -> list[str]:
    """A stream's table in Markdown; the best figure of each column stands out."""
    rules = stream["rules"]
    best = {name: min(figures[name] for figures in rules.values()) for name in COLUMNS}
    lines = [
        f"| {stream['name']} | " + " | ".join(COLUMNS.values()) + " |",
        "|---|" + "--:|" * len(COLUMNS),
    ]
    for rule, figures in rules.items():
        cells = (shown(figures[name], best[name]) for name in COLUMNS)
        lines.append(f"| `{rule}` | " + " | ".join(cells) + " |")
    return lines


def shown(value: float, best: float) -> str:
    return f"**{_digits(value)}**" if _digits(value) == _digits(best) else _digits(value)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2g}"


def section(told: dict[str, Any]) -> str:
    lines = []
    for stream in told["streams"]:
        lines += [*table(stream), ""]
    lines += [f"- *{stream['name']}*: {stream['about']}. {_capital(stream['raw'])}."
              for stream in told["streams"]]  # fmt: skip
    return "\n".join(["", *lines, ""])


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or END not in text:
        sys.exit(f"{PAGE.name} has lost its marks: {BEGIN} … {END}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    told = json.loads(RESULTS.read_text(encoding="utf-8"))
    PAGE.write_text(before + BEGIN + "\n" + section(told) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
