"""The robot's side and the door: no torch, and nothing that ever unpickles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import MOVING
from processes import ROOT, Program, ServerProgram, wait_until

WATCHED = """
import sys
unpickled = []
def hook(event, args):
    if event == "pickle.find_class":
        unpickled.append(args)
sys.addaudithook(hook)
from rt_infer.cli import main
status = main(sys.argv[1:])
heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "safetensors"})
print("watched:", status, heavy, unpickled, flush=True)
"""


def test_the_robots_process_knows_no_torch_and_unpickles_nothing(
    tmp_path: Path, server: ServerProgram, started: list[Program]
) -> None:
    words = [f"--server_address=127.0.0.1:{server.port}", "--robot.type=sim_fr3"]
    words += ["--robot.id=watched", "--duration_s=1", *MOVING]
    robot = Program(tmp_path, "watched", ["-c", WATCHED, "robot", *words])
    started.append(robot)
    assert robot.wait() == 0, robot.errors
    assert "watched: 0 [] []" in robot.output


def test_the_door_knows_no_torch_and_unpickles_nothing(
    tmp_path: Path, started: list[Program], start_robot: Callable[..., Program]
) -> None:
    door = Program(
        tmp_path,
        "door",
        ["-c", WATCHED, "server", "--port=0", "--allow_python=moving_policy:make"],
    )
    started.append(door)
    wait_until("the server listens", lambda: "listening on" in door.errors)
    port = int(door.errors.partition("listening on ")[2].split()[0].rpartition(":")[2])
    robot = start_robot(port, *MOVING, "--duration_s=1")
    assert robot.wait() == 0, robot.errors
    door.process.terminate()
    assert door.wait() == 0, door.errors
    assert "watched: 0 [] []" in door.output


def test_no_module_of_ours_imports_pickle() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "rt_infer").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if line.split()[:2] in (["import", "pickle"], ["from", "pickle"], ["import", "marshal"])
    ]
    assert found == []


def test_the_audit_hook_would_see_an_unpickling() -> None:
    script = WATCHED.replace(
        "status = main(sys.argv[1:])",
        "import pickle, fractions; pickle.loads(pickle.dumps(fractions.Fraction)); status = 0",
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert "Fraction" in done.stdout
