"""Robots at a server: real sockets, real worker processes, planted policies."""

from __future__ import annotations

import re
import socket
import threading

import numpy as np
import pytest
from serving import (
    TRIGGER,
    Bystander,
    RawRobot,
    observation,
    robot,
    serving,
    wait_until,
)

from rt_infer.wire.client import LinkLost, RemoteError
from rt_infer.wire.frames import Kind
from rt_infer.wire.refusals import ErrorCode


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def test_hold_answers_with_the_first_state_until_a_reset(server):
    with robot(server.port, "hold", actions_per_chunk=20) as client:
        first = client.infer(observation(0.5))
        assert first.actions.shape == (20, 7)
        assert (first.actions == observation(0.5)["observation.state"]).all()
        assert (client.infer(observation(0.9)).actions == first.actions).all()
        client.reset()
        assert (client.infer(observation(0.9)).actions[:, 0] == np.float32(0.9)).all()


def test_hold_starts_no_worker():
    with serving() as server, robot(server.port) as client:
        client.infer(observation())
        assert not server.workers.hosts()


def test_a_worker_sees_the_pixels_and_the_task_that_were_sent(server):
    with robot(server.port, "looker") as client:
        for pixel, task in ((0, ""), (3, "pick up the cube"), (255, "é" * 2000)):
            chunk = client.infer(observation(pixel=pixel, task=task))
            assert chunk.actions[0, 0] == len(task)
            assert chunk.actions[0, 1] == pixel * 48 * 64 * 3


def test_an_answer_too_long_for_a_message_comes_whole(server):
    with robot(server.port, "long_chunks", actions_per_chunk=4096) as client:
        for joint in (0.25, 0.75):
            chunk = client.infer(observation(joint))
            assert chunk.actions.shape == (4096, 7)
            assert (chunk.actions[:, 0] == np.float32(joint)).all()


def test_a_robot_that_asks_for_fewer_actions_gets_the_first_ones(server):
    with robot(server.port, "long_chunks", actions_per_chunk=10) as client:
        assert client.infer(observation(0.5)).actions.shape == (10, 7)
    with robot(server.port, "echo", actions_per_chunk=4000) as client:
        assert client.welcome.chunk_size == 50
        assert client.infer(observation(0.5)).actions.shape == (50, 7)


def test_a_policy_with_a_history_gets_successive_observations(server):
    with robot(server.port, "remembering") as client:
        assert client.welcome.history == 3
        moments = [observation(joint) for joint in (0.1, 0.2, 0.3)]
        assert client.infer(moments).actions[0, 0] == np.float32(0.1)


def test_stage_times_are_told_and_add_up_to_no_more_than_the_total(server):
    with robot(server.port, "echo") as client:
        timing = client.infer(observation()).timing_ms
    stages = [timing[name] for name in ("queue", "prepare", "infer", "finish")]
    assert min(stages) >= 0.0
    assert 0.0 < sum(stages) <= timing["total"] + 1e-9


def test_two_robots_share_one_worker_and_get_their_own_answers(server):
    with robot(server.port, "echo") as one, robot(server.port, "echo") as other:
        for joint in np.linspace(0.0, 1.0, 50):
            one.submit(observation(joint))
            other.submit(observation(-joint))
            assert wait_until(lambda: one.poll(1.0)).actions[0, 0] == np.float32(joint)
            assert wait_until(lambda: other.poll(1.0)).actions[0, 0] == np.float32(-joint)
        keys = [host.key.path for host in server.workers.hosts()]
        assert keys.count("planted_policies:echo") == 1


def test_a_worker_outlives_its_robots_and_serves_the_next(server):
    pids = set()
    for _ in range(3):
        with robot(server.port, "echo") as client:
            client.infer(observation())
            pids |= {h.pid for h in server.workers.hosts() if h.key.path.endswith(":echo")}
    assert len(pids) == 1


def test_each_new_session_and_each_reset_makes_the_policy_forget(server):
    for _ in range(2):
        with robot(server.port, "counting") as client:
            assert [client.infer(observation()).actions[0, 0] for _ in range(3)] == [1, 2, 3]
            client.reset()
            assert client.infer(observation()).actions[0, 0] == 1
            client.submit(observation(), epoch=99)  # a newer epoch resets too
            assert wait_until(lambda: client.poll(1.0)).actions[0, 0] == 1


def test_a_newer_observation_supersedes_the_one_that_waits(server):
    with RawRobot(server.port, "slow") as raw:
        working = raw.observe(TRIGGER)
        dropped, newest = raw.observe(1.0), raw.observe(2.0)
        answers = [raw.receive()[:2] for _ in range(3)]
    assert answers == [
        (Kind.SUPERSEDED, dropped),
        (Kind.CHUNK, working),
        (Kind.CHUNK, newest),
    ]


def test_after_reset_done_no_chunk_of_an_earlier_observation_comes(server):
    with RawRobot(server.port, "slow") as raw:
        working, waiting = raw.observe(TRIGGER), raw.observe(1.0)
        reset = raw.channel.send(Kind.RESET, epoch=1)
        fresh = raw.observe(2.0, epoch=1)
        answers = [raw.receive()[:2] for _ in range(4)]
    assert answers == [
        (Kind.SUPERSEDED, waiting),
        (Kind.RESET_DONE, reset),
        (Kind.SUPERSEDED, working),
        (Kind.CHUNK, fresh),
    ]


def test_an_observation_of_a_newer_epoch_voids_the_older_ones(server):
    with RawRobot(server.port, "slow") as raw:
        working, waiting = raw.observe(TRIGGER, epoch=3), raw.observe(1.0, epoch=3)
        fresh = raw.observe(2.0, epoch=4)
        late = raw.observe(3.0, epoch=3)
        answers = [raw.receive()[:2] for _ in range(4)]
    assert answers == [
        (Kind.SUPERSEDED, waiting),
        (Kind.SUPERSEDED, late),
        (Kind.SUPERSEDED, working),
        (Kind.CHUNK, fresh),
    ]


@pytest.mark.parametrize(
    ("policy", "code", "sentence"),
    [
        ("raises", ErrorCode.POLICY_FAILED, "RuntimeError: the tensors do not fit"),
        ("brittle", ErrorCode.BAD_OBSERVATION, "calibrate it"),
        ("not_a_number", ErrorCode.BAD_ANSWER, "not a finite number"),
        ("wrong_shape", ErrorCode.BAD_ANSWER, r"\(50, 6\)"),
    ],
)
def test_a_faulty_answer_is_an_error_and_never_a_chunk(server, policy, code, sentence):
    with RawRobot(server.port, policy) as raw:  # a client would refuse such a chunk by itself
        sequence = raw.observe(0.5)
        assert raw.receive()[:2] == (Kind.CHUNK, sequence)
        raw.observe(TRIGGER)
        refused = raw.receive_error()
        assert refused.code == code
        assert not refused.closing
        assert re.search(sentence, refused.sentence)
        for secret in ("Traceback", "hunter2", "planted_policies.py", "second line"):
            assert secret not in refused.sentence
        sequence = raw.observe(0.5)
        assert raw.receive()[:2] == (Kind.CHUNK, sequence), "the session must go on"


def test_a_state_that_is_not_finite_is_refused_before_any_policy_sees_it(server):
    with RawRobot(server.port, "hold") as raw, Bystander(server.port) as other:
        state = observation(0.0)
        body, length = raw.packer.pack([state], capture_ns=1)
        assert memoryview(body[0]).nbytes == 64, "the first buffer is the state and its padding"
        body[0] = np.array([np.nan] + [0.0] * 15, "<f4")
        raw.channel.send(Kind.OBSERVE, body, length, head=raw.packer.head)
        error = raw.receive_error()
        assert error.code == ErrorCode.BAD_OBSERVATION
        assert not error.closing
        other.sees(3)


def test_stopping_says_goodbye_to_robots_and_ends_the_workers():
    with serving() as server:
        client = robot(server.port, "echo")
        client.infer(observation())
        host = server.workers.hosts()[0]
        pid = host.pid
        stopped = threading.Thread(target=server.stop)
        stopped.start()
        with pytest.raises((LinkLost, RemoteError), match="stopping"):
            while True:
                client.infer(observation())
        stopped.join()
        assert host.pid is None and pid is not None
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port), 5).close()
