"""Who gets a session and who does not: policies, specs, loading, room, tokens, other machines."""

from __future__ import annotations

import numpy as np
import pytest
from serving import (
    SPEC,
    observation,
    page,
    robot,
    serving,
    wait_until,
)

from rt_infer.server import OptionsError, Server, ServerOptions
from rt_infer.wire.client import ObservationSpec, RemoteError
from rt_infer.wire.refusals import ErrorCode


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def test_an_unknown_policy_is_refused_with_a_list_of_the_known_ones(server):
    with pytest.raises(RemoteError, match=r"'nonsense'.*hold, reach") as refused:
        robot(server.port, "nonsense")
    assert refused.value.code == ErrorCode.UNKNOWN_POLICY
    assert not refused.value.retryable


def test_python_that_the_operator_did_not_list_is_not_even_imported(server):
    with pytest.raises(RemoteError, match="not allowed") as refused:
        robot(server.port, "python", pretrained_name_or_path="os:getcwd")
    assert refused.value.code == ErrorCode.UNKNOWN_POLICY
    assert not any(host.key.path == "os:getcwd" for host in server.workers.hosts())


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        (ObservationSpec(state=6, images=SPEC.images), "a state of 7 entries"),
        (ObservationSpec(state=list("abcdefg"), images=SPEC.images), "the policy's names"),
        (ObservationSpec(state=7), "a camera called 'front'"),
        (ObservationSpec(state=7, images={"front": (64, 48, 3)}), "64×48"),
    ],
)
def test_observations_that_do_not_fit_the_policy_are_refused_at_once(server, spec, sentence):
    with pytest.raises(RemoteError, match=sentence) as refused:
        robot(server.port, "echo", spec)
    assert refused.value.code == ErrorCode.SPEC_MISMATCH


def test_a_camera_that_the_policy_does_not_know_is_no_obstacle(server):
    spec = ObservationSpec(state=7, images={**SPEC.images, "extra": (8, 8, 3)})
    seen = {**observation(0.5), "observation.images.extra": np.zeros((8, 8, 3), np.uint8)}
    with robot(server.port, "echo", spec) as client:
        assert client.infer(seen).actions[0, 0] == 0.5


def test_a_policy_gets_the_entries_of_the_state_that_it_names_in_its_order(server):
    names = ["gripper.pos", *(f"joint_{i}.pos" for i in range(7, 0, -1))]
    state = np.linspace(0.0, 0.7, 8, dtype=np.float32)
    spec = ObservationSpec(state=names, images=SPEC.images)
    with robot(server.port, "echo", spec) as client:
        chunk = client.infer({**observation(0.0), "observation.state": state})
    np.testing.assert_array_equal(chunk.actions[0], state[:0:-1])


def test_a_robot_hears_that_its_policy_loads():
    with serving() as server:
        texts: list[str] = []
        with robot(server.port, "slow_to_load", on_loading=texts.append) as client:
            assert client.infer(observation(0.5)).actions[0, 0] == 0.5
        assert len(texts) >= 3
        assert any("slow_to_load" in text for text in texts)


def test_a_policy_that_refuses_to_load_says_why_and_is_not_tried_again_at_once():
    with serving() as server:
        for _ in range(3):
            with pytest.raises(RemoteError, match="end of the rainbow") as refused:
                robot(server.port, "refuses_to_load")
            assert refused.value.code == ErrorCode.LOAD_FAILED
            assert not refused.value.retryable
        assert server.metrics.get("worker_starts_total") == 1


def test_a_worker_that_dies_while_loading_is_quoted_and_may_be_tried_again():
    with serving() as server:
        with pytest.raises(RemoteError, match="out of patience") as refused:
            robot(server.port, "dies_while_loading")
        assert refused.value.code == ErrorCode.LOAD_FAILED
        assert refused.value.retryable


def test_a_worker_without_a_robot_makes_room_for_another_policy():
    with serving(max_workers=1) as server:
        with robot(server.port, "echo") as client:
            with pytest.raises(RemoteError, match="all are in use") as refused:
                robot(server.port, "counting")
            assert refused.value.code == ErrorCode.BUSY
            client.infer(observation())
        wait_until(lambda: not server.guests.robots())
        with robot(server.port, "counting") as client:
            client.infer(observation())
        assert [host.key.path for host in server.workers.hosts()] == ["planted_policies:counting"]


def test_more_robots_than_allowed_are_told_to_wait():
    with serving(max_connections=1) as server:
        with robot(server.port) as client:
            with pytest.raises(RemoteError) as refused:
                robot(server.port)
            assert refused.value.code == ErrorCode.BUSY
            assert page(server.port, "/healthz")[0] == 200
            client.infer(observation())


def test_only_robots_that_know_the_token_get_a_policy():
    with serving(token="correct horse battery staple") as server:
        with pytest.raises(RemoteError):
            robot(server.port, "echo", token="wrong")
        assert not server.workers.hosts(), "nothing is loaded for a stranger"
        with robot(server.port, "echo", token="correct horse battery staple") as client:
            client.infer(observation())


def test_the_token_may_come_from_a_file_and_an_empty_one_is_refused(tmp_path):
    file = tmp_path / "token"
    file.write_text("a secret\nand a second line\n")
    assert ServerOptions(token_file=str(file)).read_token() == "a secret"
    file.write_text("\n")
    with pytest.raises(OptionsError, match="first line"):
        Server(ServerOptions(token_file=str(file)))
    with pytest.raises(OptionsError, match="could not be read"):
        Server(ServerOptions(token_file=str(tmp_path / "nowhere")))


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1"])
def test_other_machines_are_let_in_only_with_a_token_and_insecure_together(host):
    for options in ({}, {"token": "t"}, {"insecure": True}):
        with pytest.raises(OptionsError, match="SSH tunnel"):
            Server(ServerOptions(host=host, port=0, **options))
    Server(ServerOptions(host=host, port=0, token="t", insecure=True))
