"""Where a chunk's time went, from the capture to the first cycle that follows it."""

from __future__ import annotations

from collections.abc import Iterator

from rt_infer.robot.timings import Timings


def test_the_stages_of_a_chunk_add_up() -> None:
    timings = Timings()
    server = {"queue": 1.0, "prepare": 2.0, "infer": 30.0, "finish": 3.0, "total": 37.0}
    timings.received(
        chunk_id=7,
        capture_ns=1_000_000,
        ready_ns=21_000_000,
        sent_ns=22_000_000,
        received_ns=64_000_000,
        server_ms=server,
    )
    timings.followed(7, 66_000_000)
    timings.followed(8, 99_000_000)  # unknown: of an earlier run, or told twice
    found = {stage: timings.summary(stage)["max"] for stage in timings.stages_ms}
    assert found == {
        "capture": 20.0,
        "encode": 1.0,
        "network": 5.0,
        "queue": 1.0,
        "prepare": 2.0,
        "infer": 30.0,
        "finish": 3.0,
        "total": 65.0,
    }


def test_chunks_that_are_never_followed_are_forgotten() -> None:
    timings = Timings()
    server = dict.fromkeys(("queue", "prepare", "infer", "finish", "total"), 1.0)
    for chunk_id in range(2000):
        timings.received(
            chunk_id=chunk_id,
            capture_ns=0,
            ready_ns=0,
            sent_ns=0,
            received_ns=0,
            server_ms=server,
        )
    assert len(timings._captured_ns) < 300


def test_a_chunk_may_be_followed_while_it_is_being_forgotten() -> None:
    class Followed(dict[int, int]):
        """The main thread takes the oldest chunk out just after the uplink has found it."""

        def __iter__(self) -> Iterator[int]:
            oldest = min(self.keys())
            yield from list(self.keys())
            timings.followed(oldest, 0)

    timings = Timings(_captured_ns=Followed((number, 0) for number in range(256)))
    server = dict.fromkeys(("queue", "prepare", "infer", "finish", "total"), 1.0)
    times = dict.fromkeys(("capture_ns", "ready_ns", "sent_ns", "received_ns"), 0)
    timings.received(chunk_id=256, server_ms=server, **times)
    assert timings.stages_ms["total"].tolist() == [0.0]
