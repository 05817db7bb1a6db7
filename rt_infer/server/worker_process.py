"""A worker as a process: exec'd, in a session of its own, watched, and sure to end.

It is exec'd and not forked, so it shares nothing with the door but the channel. It leads its own
session, so Ctrl-C in the terminal reaches the door only, which then ends its workers in order. If
the door is killed, the channel's end of file ends an idle worker and PR_SET_PDEATHSIG any other.

Linux sends that signal when the *thread* that started the process ends. So everything here is
called by the one thread that lives as long as the worker: the host's reader thread. Only `kill`
may be called by others.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

from rt_infer.policies.registry import PolicyKey
from rt_infer.server import worker_wire

log = logging.getLogger(__name__)

GRACE_S = 2.0
"""How long a worker whose channel was closed may take to end before it is killed."""


class WorkerProcess:
    """One running worker: the door's end of its channel, and its last words."""

    def __init__(self, key: PolicyKey, allow_python: Sequence[str]) -> None:
        self.channel, theirs = worker_wire.pair()
        command = [sys.executable, "-u", "-m", "rt_infer.server.worker_main"]
        command += [f"--channel={theirs.fileno()}", f"--door={os.getpid()}"]
        command += [f"--type={key.policy_type}", f"--path={key.path}", f"--device={key.device}"]
        command += [f"--allow_python={factory}" for factory in allow_python]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError:
            self.channel.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self.last_line = ""
        self._relay = threading.Thread(
            target=self._relay_output, name=f"worker-{self.pid}-output", daemon=True
        )
        self._relay.start()

    def kill(self) -> None:
        """End it at once; safe at any time and from any thread."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)  # polls first: never another process' pid

    def hang_up(self) -> None:
        """Close the channel's both ways, which tells the worker to end. From any thread."""
        with contextlib.suppress(OSError):  # it is gone already
            self.channel.shutdown(socket.SHUT_RDWR)

    def reap(self) -> str:
        """Close the channel, wait for the end (by force after GRACE_S), and say how it ended."""
        self.channel.close()
        try:
            status = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        with contextlib.suppress(ProcessLookupError):  # it leads a group: its children go too
            os.killpg(self.pid, signal.SIGKILL)
        self._relay.join(GRACE_S)
        if status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return f"exit status {status}"

    def _relay_output(self) -> None:
        """Log what the worker prints, line by line, and remember its last line."""
        assert self._process.stdout is not None
        with self._process.stdout as output:
            # readline with a limit: a model that prints no newline must not fill our memory.
            while raw := output.readline(4096):
                line = raw.decode(errors="replace").rstrip()
                if line:
                    self.last_line = worker_wire.one_line(line)
                    log.info("[worker %d] %s", self.pid, line)
