"""The display of a run: a thread of its own writes to the terminal, and nobody else waits for it.

A terminal takes what it is given when it likes: Ctrl-S, a pager, a stalled SSH connection or a
window that is being dragged hold a write up for seconds. The thread that sends heartbeats must not
be held up with it, or the arm would rest. So `show` and `say` only leave something to be shown, and
return at once: of the snapshots the newest counts, of the sentences all do, up to `KEPT` of them.

Any thread may call `show` and `say`. Leaving the `with` block waits until everything said has been
taken by the terminal: do what must not wait before.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType

from rich.live import Live
from rich.text import Text

from rt_infer.report.panel import draw, line
from rt_infer.report.terminal import Terminal
from rt_infer.robot.supervise import Snapshot

DRAW_EVERY_S = 0.125  # on a terminal
LINE_EVERY_S = 1.0  # anywhere else
KEPT = 1000  # sentences that a stalled terminal may leave unread


class Display:
    """A live panel on a terminal, a line a second anywhere else; sentences above or between."""

    def __init__(self, terminal: Terminal, title: str) -> None:
        self._terminal = terminal
        self._title = title
        self._sentences: deque[str] = deque(maxlen=KEPT)
        self._newest: Snapshot | None = None
        self._shown: Snapshot | None = None  # the thread's own
        self._said = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._main, name="display", daemon=True)

    def show(self, snapshot: Snapshot) -> None:
        """The run as it is now."""
        self._newest = snapshot

    def say(self, sentence: str) -> None:
        """A sentence for the user."""
        self._sentences.append(sentence)
        self._said.set()

    def __enter__(self) -> Display:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._said.set()
        self._thread.join()

    # ---- the display's own thread -------------------------------------------------------------

    def _main(self) -> None:
        with self._terminal.bearing_its_loss():
            if self._terminal.is_terminal:
                with Live(console=self._terminal, auto_refresh=False, transient=True) as live:
                    self._until_over(live)
            else:
                self._until_over(None)

    def _until_over(self, live: Live | None) -> None:
        period_s = LINE_EVERY_S if live is None else DRAW_EVERY_S
        while not self._over.is_set():
            self._show_newest(live)
            self._wait(period_s)
        self._print_sentences()

    def _wait(self, period_s: float) -> None:
        """Until the next picture is due; sentences are printed as they come."""
        due_s = time.monotonic() + period_s
        while self._said.wait(max(due_s - time.monotonic(), 0.0)) and not self._over.is_set():
            self._said.clear()
            self._print_sentences()

    def _show_newest(self, live: Live | None) -> None:
        snapshot = self._newest
        if snapshot is None or snapshot is self._shown:
            return
        self._shown = snapshot
        if live is None:
            self._terminal.print(Text(line(snapshot)), soft_wrap=True)
        else:
            live.update(draw(snapshot, self._title), refresh=True)

    def _print_sentences(self) -> None:
        while self._sentences:
            self._terminal.print(Text(self._sentences.popleft()), soft_wrap=True)
