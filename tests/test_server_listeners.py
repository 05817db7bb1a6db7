"""Where a server listens, and that it takes away nothing but its own."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest
from serving import SPEC, observation, page, robot, serving

from rt_infer.cli import main
from rt_infer.server import OptionsError
from rt_infer.server.guests import HEADROOM, Guests
from rt_infer.wire.client import Client
from rt_infer.wire.refusals import ErrorCode, Refusal


def infer_over(path: Path) -> None:
    with Client(f"unix://{path}", SPEC, policy_type="hold") as client:
        client.infer(observation())


def test_robots_may_come_over_a_unix_socket(tmp_path):
    path = tmp_path / "rt-infer.sock"
    with serving(unix=str(path)):
        assert path.stat().st_mode & 0o077 == 0
        infer_over(path)
    assert not path.exists()


def test_a_second_server_leaves_the_socket_of_the_first_alone(tmp_path):
    path = tmp_path / "s"
    with serving(unix=str(path)) as first:
        with pytest.raises(OptionsError, match="--unix"), serving(unix=str(path)):
            pass
        with pytest.raises(OptionsError, match="--port"), serving(unix=str(path), port=first.port):
            pass
        infer_over(path)


def test_a_file_that_is_no_socket_is_never_taken_away(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("precious")
    with pytest.raises(OptionsError, match=r"notes\.txt"), serving(unix=str(path)):
        pass
    assert path.read_text() == "precious"


def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    with serving(unix=str(path)):
        infer_over(path)


def test_a_socket_that_another_server_made_meanwhile_is_left_to_it(tmp_path):
    path = tmp_path / "s"
    with serving(unix=str(path)):
        path.unlink()
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(path))
    with other:
        assert path.is_socket()


@pytest.mark.parametrize("path", ["/nonexistent/s", "/" + "x" * 200])
def test_the_command_says_which_flag_is_wrong_and_exits_2(path, capfd):
    assert main(["server", "--port=0", f"--unix={path}"]) == 2
    said = capfd.readouterr().err
    assert path in said
    assert "None" not in said
    assert "127.0.0.1" not in said


class Visitor:
    """A connection that is over at once."""

    def __init__(self) -> None:
        self.thread = threading.Thread(target=lambda: None)

        self.ended = False

    def end(self) -> None:
        self.ended = True


def test_there_are_never_more_robots_than_seats_nor_connections_than_room():
    full: list[bool] = []
    guests = Guests(most_robots=1, on_full=lambda: full.append(True))
    visitors = [Visitor() for _ in range(1 + HEADROOM)]
    assert all(guests.enter(each) for each in visitors)
    assert guests.seat(visitors[0]) == 1
    assert guests.connections() == 1 + HEADROOM
    with pytest.raises(Refusal) as refused:
        guests.seat(visitors[1])
    assert refused.value.body.code == ErrorCode.BUSY
    guests.leave(visitors[0])
    assert guests.seat(visitors[1]) == 2
    assert (guests.robots(), guests.connections()) == (1, HEADROOM)
    assert set(guests.close()) == set(visitors[1:])
    guests.leave(visitors[1])
    assert not guests.enter(Visitor())
    assert not full


def test_the_longest_idle_connection_makes_room_and_never_a_robot():
    full: list[bool] = []
    guests = Guests(most_robots=1, on_full=lambda: full.append(True))
    first, second, *others = [Visitor() for _ in range(1 + HEADROOM)]
    assert all(guests.enter(each) for each in (first, second, *others))
    guests.seat(first)
    late = Visitor()
    assert guests.enter(late)
    assert [each.ended for each in (first, second, *others, late)].index(True) == 1
    assert sum(each.ended for each in others) == 0
    assert guests.connections() == 1 + HEADROOM
    assert full == [True]
    with pytest.raises(Refusal):  # it is on its way out
        guests.seat(second)


def test_silent_connections_keep_neither_health_checks_nor_robots_out():
    with serving(max_connections=1) as server, contextlib.ExitStack() as silent:
        for _ in range(3 * HEADROOM):
            address = ("127.0.0.1", server.port)
            silent.enter_context(socket.create_connection(address, 30))
        assert page(server.port, "/healthz")[0] == 200
        with robot(server.port, "echo") as client:
            client.infer(observation())
        assert server.metrics.get("refused_total") > 0
