"""`rt-infer COMMAND`: reads the command, imports what that command needs, and no more.

Exit status: 0 done, 2 usage, 3 no first connection, 4 refused, 5 the arm or its core failed. Errors
that a user can cause are one sentence on stderr.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rt_infer import __version__

if TYPE_CHECKING:
    from rt_infer.config import ReplayConfig, RunConfig, ServerConfig

USAGE = """\
usage: rt-infer COMMAND [flags]

  server   load a policy and answer robots' observations with chunks of actions
  robot    drive a robot at 1 kHz along the chunks of a policy server
  demo     both on this machine: the shipped policy reaches for markers with a simulated FR3
  replay   play a recorded run again and compare every command, bit for bit

rt-infer COMMAND --help lists a command's flags; rt-infer --version says which version this is.
"""

ABOUT = {
    "server": "Load policies and answer robots' observations with chunks of actions.",
    "robot": "Drive a robot at 1 kHz along the chunks of a policy server.",
    "demo": "The shipped policy reaches for markers with a simulated FR3, all on this machine.",
    "replay": "Play a recorded run again and compare every command, bit for bit.",
}

EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # as shells say it


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; answers the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _keep_early_wishes(words)
    if words in (["--version"], ["-V"]):
        print(f"rt-infer {__version__}")
        return 0
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if words else EXIT_USAGE
    command, *flags = words
    if command not in ABOUT:
        return _usage_error(
            f"there is no command {command!r}; it is server, robot, demo or replay."
        )
    try:
        return _command(command, flags)
    except KeyboardInterrupt:  # before or after the parts that bring an arm to rest on SIGINT
        return EXIT_INTERRUPTED


def _command(command: str, words: list[str]) -> int:
    from rt_infer import config
    from rt_infer import flags as flag_parser
    from rt_infer.help_page import help_text

    kinds: dict[str, type] = {
        "server": config.ServerConfig,
        "robot": config.RunConfig,
        "demo": config.DemoConfig,
        "replay": config.ReplayConfig,
    }
    name = f"rt-infer {command}"
    if "--help" in words or "-h" in words:
        print(help_text(kinds[command], name, ABOUT[command]), end="")
        return 0
    try:
        parsed: object = flag_parser.parse(kinds[command], words, name)
    except flag_parser.UsageError as error:
        return _usage_error(str(error))
    for notice in flag_parser.notices(parsed):
        print(f"rt-infer: {notice}", file=sys.stderr)
    if isinstance(parsed, config.ServerConfig):
        return _server(parsed)
    if isinstance(parsed, config.RunConfig):
        return _robot(parsed)
    if isinstance(parsed, config.ReplayConfig):
        return _replay(parsed)
    from rt_infer.demo import run_demo

    assert isinstance(parsed, config.DemoConfig)
    return run_demo(parsed)


def _server(parsed: ServerConfig) -> int:
    import logging

    from rt_infer.server import OptionsError, ServerOptions, serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s rt-infer server: %(message)s")
    try:
        serve(ServerOptions(**parsed.options()))
    except OptionsError as error:
        return _usage_error(str(error))
    return 0


def _robot(parsed: RunConfig) -> int:
    from rt_infer.report.present import run_and_report
    from rt_infer.report.terminal import Terminal

    return run_and_report(parsed, Terminal())


def _replay(parsed: ReplayConfig) -> int:
    from rt_infer.recording.command import run_replay

    return run_replay(parsed)


def _keep_early_wishes(words: list[str]) -> None:
    """A pause or a reset that a script asks for before there is a run waits for it (wishes.py)."""
    if words[:1] in (["robot"], ["demo"]):
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1, signal.SIGUSR2))


def _usage_error(sentence: str) -> int:
    print(f"rt-infer: {sentence}", file=sys.stderr)
    return EXIT_USAGE
