"""What the user asks of a run while it goes on: pause, go on, reset, stop.

    space, p, SIGUSR1            pause; once more: go on
    r, SIGUSR2                   reset
    q, SIGINT, SIGTERM, SIGHUP   stop

A wish only sets a value, so it may come at any moment and any number of times. The ticks of the run
(supervise.py) turn it into heartbeats: while the arm is to stand still they say so, and the core
rests, whatever the uplink is busy with at that time. A reset is a pause that ends by itself, once
the arm is at rest and the server has been told to let the policy forget.

Threads: the main thread wishes (signal handlers and keys run there) and tells what the core was
told; the uplink's reads `held` and `holds` and carries resets out. Each value has one writer.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Wishes:
    """Of one run. Counts and seconds are for its report."""

    def __init__(self) -> None:
        self.stopped_by: str | None = None  # "SIGTERM", "the key q"; None: go on
        self.paused = False
        self.held = False  # the core was last told to stand still
        self.holds = 0  # how often it was told so after it had been told to go on
        self.pauses = 0
        self.paused_s = 0.0  # of pauses, from the first heartbeat that said so to the first after
        self.resets = 0  # carried out
        self._resets_asked = 0
        self._resets_seen = 0  # what had been asked when the newest reset was carried out
        self._told_s: float | None = None  # when the core was last told, in a pause

    # ---- wishes -------------------------------------------------------------------------------

    def toggle_pause(self) -> None:
        """Pause; in a pause: go on."""
        self.paused = not self.paused
        self.pauses += self.paused

    def ask_reset(self) -> None:
        """Rest, let the policy forget, begin anew. Wishes that come before it is done are one."""
        self._resets_asked += 1

    def stop(self, by: str) -> None:
        """End the run in order; `by` is for the sentence about it."""
        self.stopped_by = by

    # ---- what becomes of them -----------------------------------------------------------------

    @property
    def resetting(self) -> bool:
        """A reset has been asked for and not yet carried out."""
        return self._resets_asked > self._resets_seen

    @property
    def stand_still(self) -> bool:
        """What the next heartbeat is to say."""
        return self.paused or self.resetting

    def told(self, stand_still: bool, now_s: float) -> None:
        """A heartbeat said so at `now_s`; the ticks call this."""
        self.holds += stand_still and not self.held
        self.held = stand_still
        if self._told_s is not None:
            self.paused_s += now_s - self._told_s
        self._told_s = now_s if self.paused else None

    @contextmanager
    def carrying_out_a_reset(self) -> Iterator[None]:
        """What the uplink does in here is a reset; if it fails, the reset is still due."""
        asked = self._resets_asked
        yield
        self.resets += 1
        self._resets_seen = asked


@contextmanager
def heeding_signals(wishes: Wishes) -> Iterator[None]:
    """Signals are wishes as long as this is open.

    SIGHUP, a closed terminal, stays ignored where it was (nohup). A pause or a reset that was asked
    for while these signals were blocked (cli.py) is a wish of now; one after its end is nobody's.
    """

    def on_signal(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            wishes.toggle_pause()
        elif number == signal.SIGUSR2:
            wishes.ask_reset()
        else:
            wishes.stop(signal.Signals(number).name)

    heeded = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeded.append(signal.SIGHUP)
    before = {each: signal.signal(each, on_signal) for each in heeded}
    mask = signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGUSR1, signal.SIGUSR2))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for each, handler in before.items():
            signal.signal(each, handler)
