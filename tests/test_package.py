"""The package as a whole: what importing it costs, and that its metadata agree."""

from __future__ import annotations

import socket
import subprocess
import sys
from importlib.metadata import version

import pytest
from serving import DoorProcess, serving

import rt_infer


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter holds after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    return set(output.split())


def test_the_version_of_the_module_is_the_version_of_the_metadata() -> None:
    assert rt_infer.__version__ == version("rt-infer")


def test_importing_the_package_imports_none_of_its_rooms() -> None:
    loaded = modules_after("import rt_infer")
    assert {name for name in loaded if name.startswith("rt_infer.")} == set()
    assert not loaded & {"numpy", "torch", "msgspec", "draccus", "rich"}


def test_using_the_client_imports_no_torch() -> None:
    loaded = modules_after("import rt_infer\nrt_infer.Client\nrt_infer.ObservationSpec")
    assert "rt_infer.wire.client" in loaded
    assert "torch" not in loaded


def test_every_public_name_can_be_looked_up() -> None:
    for name in rt_infer.__all__:
        assert getattr(rt_infer, name) is not None
        assert name in dir(rt_infer)


def test_what_a_client_raises_is_caught_by_the_public_names() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    spec = rt_infer.ObservationSpec(state=7, images={})
    with pytest.raises(rt_infer.ConnectFailed):
        rt_infer.Client(f"127.0.0.1:{port}", spec, policy_type="hold")
    with serving() as server, pytest.raises(rt_infer.RemoteError, match="nosuch"):
        rt_infer.Client(f"127.0.0.1:{server.port}", spec, policy_type="nosuch")


def test_a_server_that_is_gone_is_a_lost_link() -> None:
    spec = rt_infer.ObservationSpec(state=7, images={})
    with DoorProcess() as door:
        with rt_infer.Client(f"127.0.0.1:{door.port}", spec, policy_type="hold") as client:
            door.kill()
            with pytest.raises(rt_infer.LinkLost):
                client.ping()


def test_looking_up_an_error_imports_no_torch() -> None:
    loaded = modules_after("import rt_infer\nrt_infer.RemoteError\nrt_infer.LinkLost")
    assert "rt_infer.wire.refusals" in loaded
    assert "torch" not in loaded


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pickle'"):
        _ = rt_infer.Pickle
