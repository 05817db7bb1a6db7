"""The motion under every splice rule, on the same streams of chunks; see splice_rules.py."""

from __future__ import annotations

from collections.abc import Callable

import splice_rules


def test_every_rule_on_the_same_streams(page: Callable[[list[str]], None]) -> None:
    told = splice_rules.compare()
    splice_rules.write(told)
    page(splice_rules.page(told))
    for stream in told["streams"]:
        assert len(stream["runs"]) == 6 * 15
        # What is compared has been followed, and by planning, not by the limiter.
        assert all(run["splices"] > 20 for run in stream["runs"])
        assert all(run["limiter_interventions"] == 0 for run in stream["runs"])
