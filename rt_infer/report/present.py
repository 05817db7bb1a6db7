"""A run as its user sees it: the panel while it goes on, then table, report and plot.

What is written afterwards cannot undo a run: a report that cannot be written is told, and does not
change the exit status.
"""

from __future__ import annotations

from rich.console import Console

from rt_infer.config import RunConfig
from rt_infer.report import plot, report
from rt_infer.report.panel import Panel
from rt_infer.report.table import print_table
from rt_infer.robot.result import EXIT_DONE, RunResult
from rt_infer.robot.run import SetUpError, run


def run_and_report(config: RunConfig, console: Console) -> int:
    """Run a robot to its end, in front of the user's eyes; answers the exit status."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    title = f"rt-infer  {config.robot.id}  {config.policy_type} at {config.server_address}"
    try:
        with Panel(console, title) as panel:
            result = run(config, panel.update, panel.say)
    except SetUpError as error:
        errors.print(f"rt-infer: {error}", markup=False)
        return error.exit_code
    _show(config, result, console, errors)
    return result.ending.exit_code


def _show(config: RunConfig, result: RunResult, console: Console, errors: Console) -> None:
    if result.stats.cycles:
        summary = report.build(config, result)
        print_table(summary, console)
        _write_files(config, result, summary, console, errors)
    if result.ending.sentence is not None:
        where = console if result.ending.exit_code == EXIT_DONE else errors
        where.print(f"rt-infer: {result.ending.sentence}", markup=False)


def _write_files(
    config: RunConfig,
    result: RunResult,
    summary: dict[str, object],
    console: Console,
    errors: Console,
) -> None:
    if config.report:
        try:
            report.write(summary, config.report)
            console.print(f"report: {config.report}", highlight=False)
        except OSError as error:
            errors.print(f"rt-infer: the report could not be written: {error}.", markup=False)
    if config.plot:
        task = result.task
        score = f", {task['reached']} of {task['targets']} targets reached" if task else ""
        title = f"{config.robot.id}: policy {config.policy_type}{score}"
        try:
            plot.draw(result.records, config.plot, title)
            console.print(f"plot: {config.plot}", highlight=False)
        except (plot.PlotError, OSError) as error:
            errors.print(f"rt-infer: no plot: {error}", markup=False)
