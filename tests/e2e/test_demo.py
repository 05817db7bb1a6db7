"""The demo, as its user starts it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from pathlib import Path

from processes import Program, alive, assert_sound_motion, children, wait_until

from rt_infer.recording import open as open_recording
from rt_infer.recording.replay import replay


def demo(folder: Path, started: list[Program], *words: str) -> Program:
    program = Program(folder, "demo", ["-m", "rt_infer", "demo", *words])
    started.append(program)
    return program


def test_the_demo_ends_by_itself_with_its_targets_reached(
    tmp_path: Path, started: list[Program]
) -> None:
    report, plot, recording = (tmp_path / f"run.{kind}" for kind in ("json", "png", "rec"))
    words = (f"--report={report}", f"--plot={plot}", f"--record={recording}")
    program = demo(tmp_path, started, "--targets=4", *words)
    assert program.wait() == 0, program.errors
    told = json.loads(report.read_text())
    assert told["outcome"] == "finished"
    assert told["task"]["targets"] == 4
    assert told["task"]["reached"] >= 3
    assert told["motion"]["limiter_interventions"] == 0
    assert_sound_motion(told)
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert replay(open_recording(recording)).difference is None
    *_, server, robot = program.output.strip().splitlines()  # how to do it by hand
    assert "--robot.type=sim_fr3" in robot
    command = shlex.split(server)
    assert command.pop() == "server"
    pasted = subprocess.run(
        [*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert pasted.stdout.startswith("rt-infer ")


def test_a_demo_that_is_killed_leaves_no_process_behind(
    tmp_path: Path, started: list[Program]
) -> None:
    program = demo(tmp_path, started)

    def both() -> list[int] | None:
        assert program.process.poll() is None, f"{program.output}\n{program.errors}"
        found = children(program.pid)
        return found if len(found) == 2 else None

    family = wait_until("server and core run", both)
    family += [grandchild for child in family for grandchild in children(child)]
    program.signal(signal.SIGKILL)
    program.wait()
    wait_until("all are gone", lambda: not any(alive(pid) for pid in family))


def test_ctrl_c_brings_the_demos_arm_to_rest_and_ends_it(
    tmp_path: Path, started: list[Program]
) -> None:
    program = demo(tmp_path, started, f"--report={tmp_path / 'run.json'}")
    wait_until("the arm moves", lambda: "] follow" in program.output)
    program.signal(signal.SIGINT)
    assert program.wait() == 0, program.errors
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["outcome"] == "stopped"
    assert_sound_motion(told)
