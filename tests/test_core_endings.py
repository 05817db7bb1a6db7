"""What the arm, the user and the machine do to a core, and how it says so: real processes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from core_rig import SHM, robot, robot_id

from rt_infer.robot.core_process import CoreFailed
from rt_infer.robot.region import Phase

__all__ = ["robot_id"]  # a fixture


# ---------------------------------------------------------------- faults and refusals


def test_an_arm_that_stops_by_itself_ends_the_core_with_5_and_the_name_of_the_reflex(
    robot_id: str,
) -> None:
    name = "joint_motion_generator_velocity_discontinuity"
    faults = {"fail_at_cycle": 300, "fail_with": name}
    with robot(robot_id, arm={"type": "sim_fr3", "faults": faults}) as r:
        assert r.status_at_end() == 5
        assert (r.state.phase, r.state.reflex) == (Phase.FAULT, name)
        stats = r.region.stats()
        assert stats.outcome == "fault"
        assert [reflex.name for reflex in stats.reflexes] == [name]
        assert stats.reflexes[0].cycle >= 300


def test_a_core_that_is_killed_tells_by_which_signal(robot_id: str) -> None:
    with robot(robot_id) as r:
        os.kill(r.core.pid, signal.SIGKILL)
        assert r.status_at_end() == -signal.SIGKILL
        r.core.heartbeat()  # nobody listens any more, and nothing happens
        assert r.region.stats().outcome is None
    assert list(SHM.glob(f"rt-infer.{robot_id}*")) == []


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"arm": {"type": "toaster"}}, "no arm is called toaster"),
        ({"arm": {"type": "sim_fr3", "colour": "red"}}, "knows no colour"),
        ({"arm": {"type": "sim_fr3", "start_pose_rad": [9.0] * 7}}, "start pose of joint 1"),
        ({"speed": 1.5}, "speed must be"),
        ({"fps": float("nan")}, "fps must be"),
        ({"aggregate": "median"}, "aggregate is one of"),
        ({"crossfade_steps": 0.0}, "crossfade_steps must be"),
        ({"offset_decay_s": float("nan")}, "offset_decay_s must be"),
        ({"rt_priority": 100}, "rt_priority must be"),
        ({"rt_cpu": 4000, "rt_require": True}, "run with --rt.require=false"),
    ],
)
def test_a_core_that_cannot_start_says_why_in_one_sentence(
    robot_id: str, config: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CoreFailed, match=sentence):
        with robot(robot_id, **config):
            pass
    assert list(SHM.glob(f"rt-infer.{robot_id}*")) == []


def test_what_the_machine_refuses_is_told_and_the_core_runs_without(robot_id: str) -> None:
    with robot(robot_id, rt_cpu=4000) as r:
        refused = [line for line in r.core.new_log_lines() if "CPU 4000" in line]
        assert len(refused) == 1
        assert "--rt.cpu" in refused[0]
        assert r.core.new_log_lines() == []
        assert r.region.stats().cpu is None
        assert r.state.phase == Phase.HOLD


def test_scheduling_is_reported_as_the_kernel_has_it(robot_id: str) -> None:
    cpu = min(os.sched_getaffinity(0))
    with robot(robot_id, rt_cpu=cpu, rt_priority=70) as r:
        stats = r.region.stats()
        assert os.sched_getaffinity(r.core.pid) == {cpu}
        assert stats.cpu == cpu
        policy = os.sched_getscheduler(r.core.pid) & ~os.SCHED_RESET_ON_FORK
        assert stats.scheduling_policy == {os.SCHED_FIFO: "fifo", os.SCHED_OTHER: "other"}[policy]
        assert stats.scheduling_priority == os.sched_getparam(r.core.pid).sched_priority
        if policy == os.SCHED_OTHER:  # this machine does not give it: then it said so
            assert any("SCHED_FIFO 70" in line for line in r.core.new_log_lines())


# ---------------------------------------------------------------- a process of its own


def test_it_leads_its_own_session_and_only_sigterm_ends_it(robot_id: str) -> None:
    with robot(robot_id) as r:
        assert os.getsid(r.core.pid) == r.core.pid
        for deaf_to in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            os.kill(r.core.pid, deaf_to)
        r.until_cycles_have_passed(100)
        r.push(0.5, steps=60)
        r.until(lambda: r.state.policy_step > 5)
        os.kill(r.core.pid, signal.SIGTERM)
        assert r.status_at_end() == 0
        assert r.state.phase == Phase.FINISHED
        assert r.state.policy_step < 59


def test_it_inherits_nothing_but_the_region_the_pipe_and_its_log(robot_id: str) -> None:
    with open(os.devnull) as ours, robot(robot_id) as r:
        os.set_inheritable(ours.fileno(), True)
        process = Path(f"/proc/{r.core.pid}")
        held = {os.readlink(fd) for fd in (process / "fd").iterdir()}
        kinds = {name.split(":")[0].split(".")[0].split("[")[0] for name in held}
        allowed = {"/dev/null", "/dev/shm/rt-infer", "pipe", "/memfd", "anon_inode"}
        assert kinds <= allowed | {"/dev/cpu_dma_latency"}
        assert len(list((process / "task").iterdir())) == 2  # the loop and its watch
        maps = (process / "maps").read_text()
        assert "_core" in maps
        assert "numpy" not in maps
        assert "torch" not in maps


def test_a_running_loop_takes_no_page_fault(robot_id: str) -> None:
    with robot(robot_id) as r:
        r.push(0.3, steps=60)
        r.until(lambda: r.state.policy_step > 20)
        r.push(-0.3)
        r.until(lambda: r.state.phase == Phase.HOLD)
        r.core.finish()
        assert r.status_at_end() == 0
        stats = r.region.stats()
        assert stats.major_faults == 0
        if stats.memory_locked:
            assert stats.minor_faults == 0
