"""One run of a robot: gives birth to its parts and buries them in the right order.

Birth: region, gripper (it may take seconds, in which nobody sends heartbeats), core, cameras,
uplink. Death: core (it brings the arm to rest first, with heartbeats as long as it lives), uplink,
cameras, gripper, region. If this process dies in between, the core does its part alone: the end of
its pipe tells it; the gripper keeps what it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt

from rt_infer.cameras.base import CameraStream
from rt_infer.config import RunConfig
from rt_infer.grippers.base import GripperError
from rt_infer.grippers.commands import CommandRule
from rt_infer.grippers.driver import GripperDriver
from rt_infer.robot import from_config
from rt_infer.robot.core_process import CoreConfig, CoreFailed, CoreProcess
from rt_infer.robot.keys import heeding_keys
from rt_infer.robot.observe import ArmHistory, Observer
from rt_infer.robot.recorder import Recorder
from rt_infer.robot.recording import RecordingTelemetry, header
from rt_infer.robot.region import CoreRegion, RegionBusy, RegionError
from rt_infer.robot.result import EXIT_FAULT, EXIT_REFUSED, EXIT_USAGE, RunResult, SetUpError
from rt_infer.robot.supervise import Snapshot, Supervisor
from rt_infer.robot.tools import ToolWatch
from rt_infer.robot.uplink import Uplink
from rt_infer.robot.wishes import Wishes, heeding_signals
from rt_infer.robots.registry import Robot


def run(
    config: RunConfig, show: Callable[[Snapshot], None], say: Callable[[str], None]
) -> RunResult:
    """Drive the robot until the run ends; SetUpError if it cannot begin.

    `show` is called by this thread at every tick, `say` with each sentence for the user by this
    thread, the uplink's or the gripper's. Heartbeats wait while they run, so both must return at
    once.
    """
    robot = config.robot.build()
    token = from_config.token(config)
    with ExitStack() as parts:
        wishes = Wishes()
        parts.enter_context(heeding_signals(wishes))
        keys = parts.enter_context(heeding_keys(wishes))
        try:
            region = parts.enter_context(CoreRegion.create(robot.id, config.fps))
            gripper = _open_gripper(robot, wishes, say, parts)
            core_config = from_config.core_config(config, robot)
            recording = _recording(config, core_config, region, say, parts)
            telemetry = recording or region.telemetry()  # of the core's first cycle, too
            core = parts.enter_context(CoreProcess.start(region, core_config))
        except RegionBusy as error:
            raise SetUpError(_capital(error), EXIT_REFUSED) from error
        except (CoreFailed, RegionError, GripperError) as error:
            raise SetUpError(_capital(error), EXIT_FAULT) from error
        if gripper is not None:
            watch = ToolWatch(region, gripper)
            watch.start()
            parts.callback(watch.stop)
        _tell_where_it_starts(config, robot, region, say)
        streams = [CameraStream(camera) for camera in robot.cameras(_latest_arm(region))]
        for stream in streams:
            stream.start()
            parts.callback(stream.stop)
        observer = Observer(streams, ArmHistory(region.telemetry()), config.task, gripper)
        supply = from_config.supply(config, robot, region, observer, wishes, say)
        uplink = Uplink(
            supply,
            lambda on_loading: from_config.connect(config, robot, observer, token, on_loading),
            config.connect_timeout_s,
            say,
        )
        keep = config.plot is not None
        recorder = Recorder(telemetry, supply.intake.timings, robot.task, keep=keep)
        uplink.start()
        parts.callback(uplink.stop)
        supervisor = Supervisor(
            region,
            core,
            uplink,
            recorder,
            robot.task,
            wishes,
            keys,
            gripper=gripper,
            duration_s=config.duration_s,
            actions_per_chunk=config.actions_per_chunk,
            show=show,
            say=say,
        )
        ending = supervisor.to_rest(supervisor.until_the_end())
        uplink.stop()
        stats = region.stats()
        return RunResult(
            ending=ending,
            duration_s=stats.period.sum_ns / 1e9,
            stats=stats,
            timings=supply.intake.timings,
            link=supply.counts,
            wishes=wishes,
            start_moves=supply.approach.moves,
            refused=supply.refused,
            errors=supply.errors.counts,
            errors_told=supply.errors.summary(),
            actions=supply.intake.actions,
            tools=_what_it_did(gripper),
            task=robot.task.score() if robot.task else None,
            records=recorder.records(),
            telemetry_lost=recorder.lost,
            recording=recording.finish(ending, stats) if recording else None,
        )


def _open_gripper(
    robot: Robot, wishes: Wishes, say: Callable[[str], None], parts: ExitStack
) -> GripperDriver | None:
    """The robot's gripper, ready to be commanded. GripperError: it cannot be used."""
    config = robot.gripper
    if config is None:
        return None
    rule = CommandRule(config.deadband, config.binary_threshold)
    gripper = GripperDriver(config.build(), rule, say)
    parts.callback(gripper.stop)
    gripper.start()
    gripper.wait_until_open(lambda: wishes.stopped_by is not None)
    return gripper


def _what_it_did(gripper: GripperDriver | None) -> dict[str, dict[str, int]]:
    if gripper is None:
        return {}
    return {"gripper": {"commands": gripper.commands, "grasps": gripper.grasps}}


def _recording(
    config: RunConfig,
    core: CoreConfig,
    region: CoreRegion,
    say: Callable[[str], None],
    parts: ExitStack,
) -> RecordingTelemetry | None:
    """What `--record` asks for, if it does. SetUpError: the file cannot be written."""
    if not config.record:
        return None
    try:
        recording = RecordingTelemetry(region, config.record, header(config, core), say)
    except OSError as error:
        sentence = f"--record={config.record} cannot be written: {error.strerror or error}."
        raise SetUpError(sentence, EXIT_USAGE) from error
    parts.callback(recording.close)
    return recording


def _capital(error: Exception) -> str:
    return str(error)[:1].upper() + str(error)[1:]


def _tell_where_it_starts(
    config: RunConfig, robot: Robot, region: CoreRegion, say: Callable[[str], None]
) -> None:
    state = region.state()
    assert state is not None  # CoreProcess.start has waited for the first one
    sentence = from_config.starts_outside(config, robot, state.q)
    if sentence is not None:
        say(sentence)


def _latest_arm(region: CoreRegion) -> Callable[[], tuple[int, npt.NDArray[np.float64]] | None]:
    def latest() -> tuple[int, npt.NDArray[np.float64]] | None:
        state = region.state()
        return None if state is None else (state.time_ns, state.q)

    return latest
