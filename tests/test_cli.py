"""The command as users start it: quick help, exit statuses, one sentence an error."""

from __future__ import annotations

import subprocess
import sys

import pytest


def rt_infer(*words: str, module: str = "rt_infer") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def imported_by(words: list[str]) -> set[str]:
    script = (
        "import sys, rt_infer.cli as cli\n"
        f"status = cli.main({words!r})\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stderr.split())


def test_help_needs_nothing_heavy() -> None:
    modules = imported_by(["--help"])
    assert not modules & {"numpy", "draccus", "rich", "torch"}


@pytest.mark.parametrize("command", ["server", "robot", "demo", "replay"])
def test_a_commands_help_imports_no_torch(command: str) -> None:
    assert not imported_by([command, "--help"]) & {"torch", "matplotlib", "rt_infer._core"}


def test_the_version_is_told() -> None:
    done = rt_infer("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "rt-infer")


def test_no_command_is_a_usage_error_that_shows_the_usage() -> None:
    done = rt_infer()
    assert done.returncode == 2
    assert "usage:" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["robot"],
        ["robot", "--robot.type=fr3_follower", "--robot.id=a", "--policy_type=act"],
        ["server", "--port=70000"],
        ["demo", "--nonsense=1"],
        ["replay"],
        ["replay", "a.rec", "b.rec"],
        ["replay", "a.rec", "--plot=a.jpg"],
    ],
)
def test_a_usage_error_is_one_sentence_and_exit_2(words: list[str]) -> None:
    done = rt_infer(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("rt-infer: ")


def test_the_file_to_replay_is_a_word_of_its_own() -> None:
    page = rt_infer("replay", "--help").stdout
    assert page.startswith("usage: rt-infer replay RECORDING [flags]")
    assert "\n  RECORDING " in page
    assert "needs RECORDING" in rt_infer("replay").stderr


@pytest.mark.parametrize("command", ["server", "robot"])
def test_lerobots_manner_of_starting_works_too(command: str) -> None:
    as_module = rt_infer("--help", module=f"rt_infer.{command}")
    assert as_module.returncode == 0
    assert as_module.stdout == rt_infer(command, "--help").stdout


@pytest.mark.parametrize("command", ["robot", "demo"])
def test_a_pause_or_a_reset_that_comes_too_early_or_too_late_ends_nothing(command: str) -> None:
    code = (
        "import os, signal, sys; from rt_infer.cli import main; main(sys.argv[1:]); "
        "[os.kill(os.getpid(), number) for number in (signal.SIGUSR1, signal.SIGUSR2)]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command, "--help"], capture_output=True, check=False
    )
    assert done.returncode == 0
