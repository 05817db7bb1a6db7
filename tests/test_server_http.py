"""Plain HTTP on the server's port."""

from __future__ import annotations

import re
import socket
import time

import pytest
from serving import TRIGGER, observation, page, robot, serving, wait_until

from rt_infer.server import OptionsError, Server, ServerOptions
from rt_infer.wire.client import RemoteError

SAMPLE = re.compile(r'[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? -?[0-9.e+-]+')


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def test_get_and_head_of_the_root_answer_200(server):
    assert page(server.port, "/")[0] == 200
    assert page(server.port, "/", "HEAD") == (200, "")
    assert page(server.port, "/?x=1")[0] == 200


def test_the_status_page_names_the_policies_that_are_loaded(server):
    with robot(server.port, "echo") as client:
        client.infer(observation())
        assert "planted_policies:echo" in page(server.port, "/")[1]


def test_unknown_pages_are_404_and_malformed_requests_400(server):
    assert page(server.port, "/etc/passwd")[0] == 404
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(b"GET nonsense\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")


def test_everything_that_is_measured_is_explained(server):
    text = page(server.port, "/metrics")[1]
    named = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert "rt_infer_workers_ready" in named
    assert named == re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_told_that_they_are_not_allowed(server, method):
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(f"{method} / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc".encode())
        answer = raw.recv(4096)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


def test_a_request_without_an_end_is_answered_or_closed_and_never_kept(server):
    for data in (b"GET / HTTP/1.1\r\n", b"GET /" + b"x" * 20_000):
        with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(65536):
                pass
    wait_until(lambda: server.guests.connections() == 0)


def test_every_line_of_the_metrics_is_prometheus_text_and_the_counts_are_right():
    with serving() as server:
        with robot(server.port, "raises") as client:
            for _ in range(5):
                client.infer(observation())
            with pytest.raises(RemoteError):
                client.infer(observation(TRIGGER))
            text = page(server.port, "/metrics")[1]
    lines = text.splitlines()
    assert all(line.startswith("# ") or SAMPLE.fullmatch(line) for line in lines)
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert len(values) == sum(not line.startswith("#") for line in lines), "no sample comes twice"
    assert values["rt_infer_observations_total"] == "6"
    assert values["rt_infer_chunks_total"] == "5"
    assert values['rt_infer_errors_total{code="policy_failed"}'] == "1"
    assert values['rt_infer_stage_seconds_count{stage="infer"}'] == "5"
    assert values["rt_infer_robots"] == "1"
    assert values["rt_infer_workers_ready"] == "1"
    assert values["rt_infer_worker_starts_total"] == "1"


def test_readiness_waits_for_the_policy_that_is_loaded_at_the_start():
    preloaded = {
        "policy_type": "python",
        "pretrained_name_or_path": "planted_policies:slow_to_load",
    }
    with serving(**preloaded) as server:
        status, text = page(server.port, "/readyz")
        assert status == 503
        assert "slow_to_load" in text
        assert page(server.port, "/healthz") == (200, "ok\n")
        wait_until(lambda: page(server.port, "/readyz")[0] == 200)
        host = server.workers.hosts()[0]
        with robot(server.port, "slow_to_load") as client:
            client.infer(observation())
        assert server.workers.hosts() == [host], "the robot uses the worker that was waiting"


def test_a_policy_loaded_at_the_start_is_loaded_again_after_its_worker_died():
    preloaded = {"policy_type": "python", "pretrained_name_or_path": "planted_policies:dies"}
    with serving(**preloaded) as server:
        wait_until(lambda: page(server.port, "/readyz")[0] == 200)
        with robot(server.port, "dies") as client, pytest.raises(RemoteError):
            client.infer(observation(TRIGGER))
        wait_until(lambda: server.metrics.get("worker_starts_total") == 2)
        wait_until(lambda: page(server.port, "/readyz")[0] == 200)


def test_readiness_says_why_the_policy_does_not_load():
    broken = {
        "policy_type": "python",
        "pretrained_name_or_path": "planted_policies:refuses_to_load",
    }
    with serving(**broken) as server:
        wait_until(lambda: "end of the rainbow" in page(server.port, "/readyz")[1])
        assert page(server.port, "/readyz")[0] == 503


def test_a_server_told_to_load_what_it_does_not_know_does_not_start():
    with pytest.raises(OptionsError, match="no policy 'nonsense'"):
        Server(ServerOptions(port=0, policy_type="nonsense"))


def test_a_request_that_trickles_in_for_ever_is_cut_off(server, monkeypatch):
    monkeypatch.setattr("rt_infer.server.http.REQUEST_S", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(b"GET ")
        with pytest.raises(OSError):  # it answers, closes, and no longer takes our bytes
            while True:
                raw.sendall(b"x")
                time.sleep(0.05)


@pytest.mark.parametrize(
    ("said", "answer"), [(b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"200"), (b"GET /he", b"400")]
)
def test_a_request_that_falls_silent_is_answered_as_far_as_it_goes(
    server, monkeypatch, said, answer
):
    monkeypatch.setattr("rt_infer.server.http.REQUEST_S", 0.2)
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(said)
        assert answer in raw.recv(4096).partition(b"\n")[0]
