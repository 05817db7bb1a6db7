"""Flags: the names LeRobot users type, and errors that say what to type instead."""

from __future__ import annotations

import pytest
from robot_flags import refusal, run_config

from rt_infer import flags
from rt_infer.cameras.synthetic import SyntheticCameraConfig
from rt_infer.config import DemoConfig, RunConfig, ServerConfig
from rt_infer.help_page import help_text
from rt_infer.robots.sim_fr3 import SimFr3Config


def test_the_guides_robot_command_is_understood() -> None:
    config = flags.parse(
        RunConfig,
        [
            "--server_address=127.0.0.1:18080",
            "--robot.type=sim_fr3",
            "--robot.id=left",
            "--policy_type=act",
            "--pretrained_name_or_path=some/model",
            "--policy_device=cuda",
            "--actions_per_chunk=40",
            "--chunk_size_threshold=0.7",
            "--fps=20",
        ],
        "rt-infer robot",
    )
    assert isinstance(config.robot, SimFr3Config)
    assert (config.server_address, config.robot.id) == ("127.0.0.1:18080", "left")
    assert (config.policy_type, config.pretrained_name_or_path) == ("act", "some/model")
    assert (config.policy_device, config.actions_per_chunk) == ("cuda", 40)
    assert (config.chunk_size_threshold, config.fps) == (0.7, 20.0)


def test_defaults_are_those_of_the_guide() -> None:
    config = run_config()
    assert (config.actions_per_chunk, config.chunk_size_threshold, config.fps) == (50, 0.5, 30.0)
    assert (config.aggregate_fn_name, config.policy_device) == ("weighted_average", "cpu")
    assert (config.rt.priority, config.rt.cpu, config.rt.require) == (80, None, False)


@pytest.mark.parametrize(
    "words",
    [["--policy-device=mps"], ["--policy_device=mps"], ["--policy-device", "mps"]],
)
def test_dashes_underscores_and_blanks_are_all_accepted(words: list[str]) -> None:
    assert run_config(*words).policy_device == "mps"


def test_text_stays_as_it_was_typed() -> None:
    config = run_config(
        "--task=include: [x", "--policy_type=python", "--pretrained_name_or_path=007"
    )
    assert (config.task, config.pretrained_name_or_path) == ("include: [x", "007")


def test_a_switch_alone_is_on() -> None:
    assert run_config("--rt.require", "--rt.priority=40").rt.require is True


def test_nested_flags_reach_their_places() -> None:
    config = run_config("--motion.speed=0.5", "--rt.cpu=1", "--robot.seed=3")
    assert (config.motion.speed, config.rt.cpu) == (0.5, 1)
    motion = run_config("--motion.crossfade_steps=6", "--motion.offset_decay_s=0.2").motion
    assert (motion.crossfade_steps, motion.offset_decay_s) == (6.0, 0.2)
    assert isinstance(config.robot, SimFr3Config)
    assert config.robot.seed == 3


def test_cameras_are_given_as_yaml() -> None:
    config = run_config("--robot.cameras={top: {type: synthetic, view: side, fps: 15}}")
    assert isinstance(config.robot, SimFr3Config)
    assert config.robot.cameras == {"top": SyntheticCameraConfig(view="side", fps=15.0)}


def test_a_robot_that_is_not_built_is_refused_by_name() -> None:
    sentence = refusal("--robot.type=fr3_follower")
    assert "fr3_follower" in sentence
    assert "sim_fr3" in sentence


def test_a_camera_that_is_not_built_is_refused_by_name() -> None:
    assert "opencv" in refusal("--robot.cameras={front: {type: opencv}}")


def test_a_typing_error_gets_a_suggestion() -> None:
    assert "did you mean --chunk_size_threshold?" in refusal("--chunk_size_treshold=0.5")
    assert "did you mean --motion.speed?" in refusal("--speed=0.5")
    assert "did you mean" not in refusal("--robot.port=/dev/ttyACM0")


def test_what_is_missing_is_named() -> None:
    with pytest.raises(flags.UsageError, match=r"--robot.type=… and --robot.id=…"):
        flags.parse(RunConfig, ["--policy_type=hold"], "rt-infer robot")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("--fps=fast", "--fps: fast is no number"),
        ("--fps=0", "--fps must be 1 to 1000"),
        ("--fps=nan", "--fps must be"),
        ("--fps=", "--fps"),
        ("--fps", "--fps needs a value"),
        ("--actions_per_chunk=50.5", "is no whole number"),
        ("--actions_per_chunk=513", "1 to 512"),
        ("--chunk_size_threshold=1.5", "0 to 1"),
        ("--motion.speed=0", "--motion.speed"),
        ("--motion.crossfade_steps=0", "--motion.crossfade_steps"),
        ("--motion.crossfade_steps=nan", "--motion.crossfade_steps"),
        ("--motion.offset_decay_s=0", "--motion.offset_decay_s"),
        ("--rt.priority=100", "0 to 99"),
        ("--duration_s=-1", "above zero"),
        ("--aggregate_fn_name=newest", "weighted_average"),
        ("--robot.id=a b", "--robot.id=a b"),
        ("--robot.id=", "--robot.id= (empty) must be"),
        ("--robot.start_pose_rad=[0,0,0]", "seven angles"),
        ("--robot.targets=0", "at least one target"),
        ("--robot.cameras={", "is not YAML"),
        ("--server_address=nowhere", "host:port"),
        ("--server_address=tls://a:1", "tls"),
        ("--policy_type=", "--policy_type"),
        ("--pretrained_name_or_path=/nonexistent", "hold has no checkpoint"),
        ("--plot=run.jpg", "--plot=run.jpg must end in .png"),
        ("stray", "takes flags only"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_in_one_sentence(word: str, expected: str) -> None:
    assert expected in refusal(word)


def test_lerobots_other_flags_are_accepted_with_a_notice_each() -> None:
    config = run_config("--client_device=cpu", "--debug_visualize_queue_size=true")
    assert len(flags.notices(config)) == 2
    server = flags.parse(
        ServerConfig,
        ["--fps=30", "--inference_latency=0.03", "--obs_queue_timeout=2"],
        "rt-infer server",
    )
    told = flags.notices(server)
    assert [line.split()[0] for line in told] == [
        "--fps",
        "--inference_latency",
        "--obs_queue_timeout",
    ]
    assert flags.notices(run_config()) == []


def test_a_list_flag_may_be_given_several_times() -> None:
    config = flags.parse(
        ServerConfig, ["--allow_python=a.b:c", "--allow_python=d:e"], "rt-infer server"
    )
    assert config.allow_python == ["a.b:c", "d:e"]


@pytest.mark.parametrize("factory", ["foo", "foo:", ":make", "foo.bar:make:it", "foo bar:make"])
def test_a_factory_that_cannot_be_found_is_refused(factory: str) -> None:
    with pytest.raises(flags.UsageError, match=r"package\.module:function"):
        flags.parse(ServerConfig, [f"--allow_python={factory}"], "rt-infer server")


@pytest.mark.parametrize("kind", [ServerConfig, RunConfig, DemoConfig])
def test_the_help_names_every_flag(kind: type) -> None:
    page = help_text(kind, "rt-infer x", "About.")
    for each in flags.flags_of(kind):
        assert f"--{each.name}=" in page
    assert max(len(line) for line in page.splitlines()) <= 100


def test_the_demo_is_a_robot_run_of_the_shipped_policy() -> None:
    run = flags.parse(DemoConfig, ["--targets=3", "--seed=2"], "rt-infer demo").run_config("h:1")
    assert isinstance(run.robot, SimFr3Config)
    assert (run.policy_type, run.robot.targets, run.robot.seed) == ("reach", 3, 2)


@pytest.mark.parametrize(
    "flag", ["policy_type", "policy_device", "pretrained_name_or_path", "task"]
)
def test_text_that_no_frame_could_carry_is_refused_before_anything_starts(flag: str) -> None:
    assert "bytes" in refusal(f"--{flag}=" + "€" * 1400)
    assert "UTF-8" in refusal(f"--{flag}=\udcff")


def test_what_may_be_left_open_may_be_nothing() -> None:
    assert run_config("--rt.cpu=null", "--duration_s=null").rt.cpu is None


@pytest.mark.parametrize("cameras", ["{front: {view: front}}", "{front: 3}"])
def test_an_entry_without_a_type_is_told_in_words(cameras: str) -> None:
    sentence = refusal(f"--robot.cameras={cameras}")
    assert "type" in sentence
    assert "class" not in sentence


def test_a_timeout_that_is_no_number_is_refused() -> None:
    assert "timeout" in refusal("--robot.target_timeout_s=.nan")
