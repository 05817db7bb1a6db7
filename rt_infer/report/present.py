"""A run as its user sees it: the display while it goes on, then files, table and the last word.

That files cannot be written is told before the run. If they cannot be after all (a disk that has
filled up), that cannot undo the run: it is told, and does not change the exit status. The files
come first: a terminal may keep everything after them waiting.
"""

from __future__ import annotations

from typing import Any

from rt_infer.config import RunConfig
from rt_infer.report import outputs, plot, report
from rt_infer.report.display import Display
from rt_infer.report.table import print_table
from rt_infer.report.terminal import Terminal
from rt_infer.robot.result import EXIT_DONE, EXIT_USAGE, RunResult, SetUpError
from rt_infer.robot.run import run


def run_and_report(config: RunConfig, terminal: Terminal) -> int:
    """Run a robot to its end, in front of the user's eyes; answers the exit status."""
    errors = Terminal(stderr=True, soft_wrap=True, highlight=False)
    obstacle = outputs.obstacle(config)
    if obstacle is not None:
        _tell(errors, f"rt-infer: {obstacle}")
        return EXIT_USAGE
    title = f"rt-infer  {config.robot.id}  {config.policy_type} at {config.server_address}"
    summary: dict[str, Any] | None = None
    written: list[tuple[Terminal, str]] = []
    try:
        with Display(terminal, title) as display:
            result = run(config, display.show, display.say)
            if result.stats.cycles:
                summary = report.build(config, result)
                written = _write_files(config, result, summary, terminal, errors)
    except SetUpError as error:
        _tell(errors, f"rt-infer: {error}")
        return error.exit_code
    # A run that nobody answered has nothing to tell but why.
    if summary is not None and (result.outcome != "refused" or result.link.chunks_received):
        with terminal.bearing_its_loss():
            print_table(summary, terminal)
    for where, sentence in written:
        _tell(where, sentence)
    if result.errors_told is not None:
        _tell(errors, f"rt-infer: {result.errors_told}")
    if result.ending.sentence is not None:
        where = terminal if result.ending.exit_code == EXIT_DONE else errors
        _tell(where, f"rt-infer: {result.ending.sentence}")
    return result.ending.exit_code


def _write_files(
    config: RunConfig,
    result: RunResult,
    summary: dict[str, Any],
    terminal: Terminal,
    errors: Terminal,
) -> list[tuple[Terminal, str]]:
    """Write what was asked for; what to say about it, and where."""
    said = []
    if config.report:
        try:
            report.write(summary, config.report)
            said.append((terminal, f"report: {config.report}"))
        except OSError as error:
            said.append((errors, f"rt-infer: the report could not be written: {error}."))
    if config.plot:
        task = result.task
        score = (
            f", {task['reached']} of {task['targets']} targets reached"
            if task and task["targets"]
            else ""
        )
        title = f"{config.robot.id}: policy {config.policy_type}{score}"
        try:
            motion = summary["motion"]
            greatest = [
                motion[f"{name}_ratio_max"] for name in ("velocity", "acceleration", "jerk")
            ]
            plot.draw(result.records, config.plot, title, greatest)
            said.append((terminal, f"plot: {config.plot}"))
        except (plot.PlotError, OSError) as error:
            said.append((errors, f"rt-infer: no plot: {error}"))
    if result.recording is not None:
        ended = result.recording.ended
        said.append(
            (terminal, f"recording: {result.recording.path}")
            if ended is None
            else (errors, f"rt-infer: {ended}")
        )
    return said


def _tell(terminal: Terminal, sentence: str) -> None:
    with terminal.bearing_its_loss():
        terminal.print(sentence, markup=False, highlight=False, soft_wrap=True)
