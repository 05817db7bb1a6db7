"""Takes every guard of the motion out, one at a time, and demands that its test turns red.

    python tests/mutants/run.py [name …]     only guards whose name contains one of these

The sources are copied and compiled once; a mutant compiles the file it changes (for a header, the
files that include it) and links the rest. A mutant that does not compile, whose text is not found
exactly once, or whose test passes, fails the run; so does a test that is red, or missing, with all
guards in place.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from guards import GUARDS, Guard

CSRC = Path(__file__).resolve().parents[2] / "csrc"
TESTS = (
    "admission",
    "blend",
    "smooth",
    "smooth_motion",
    "stepper",
    "watch",
    "limiter",
    "limiter_joins",
    "limiter_losses",
    "detour",
    "planning_alone",
    "liveness",
    "motion_streams",
    "fence",
    "fence_ratchet",
    "fence_streams",
)
FLAGS = ["-std=c++20", "-O1", "-ffp-contract=off", "-fno-math-errno", "-pthread"]
JOBS = 2
RUN_TIMEOUT_S = 60.0  # a watchdog: what a mutant does need not end


class BrokenRun(Exception):
    """Why nothing can be said of the guards, or of one of them."""


def sources(csrc: Path) -> list[Path]:
    return [
        *sorted((csrc / "kinematics").glob("*.cpp")),
        *sorted((csrc / "motion").glob("*.cpp")),
        *sorted((csrc / "arms").glob("*.cpp")),
        csrc / "control/admission.cpp",
        csrc / "control/stepper.cpp",
        csrc / "control/watch.cpp",
        csrc / "tests/main.cpp",
        *(csrc / f"tests/test_{name}.cpp" for name in TESTS),
    ]


def call(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BrokenRun(f"{' '.join(command)}\n{done.stderr.strip()}")
    return done.stdout


def compiler() -> str:
    return os.environ.get("CXX", "g++")


def compile_one(source: Path, into: Path, include: list[Path]) -> Path:
    """One object, and the list of headers it was made from beside it."""
    compiled = into / f"{source.parent.name}_{source.stem}.o"
    paths = [f"-I{folder}" for folder in include]
    call([compiler(), *FLAGS, *paths, "-MMD", "-c", str(source), "-o", str(compiled)])
    return compiled


def link(objects: list[Path], program: Path) -> Path:
    call([compiler(), "-o", str(program), *map(str, objects), "-pthread"])
    return program


def doctest(program: Path, case: str, *options: str) -> subprocess.CompletedProcess[str]:
    # A comma separates filters; ? stands for any one character.
    return subprocess.run(
        [str(program), f"--test-case={case.replace(',', '?')}", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_TIMEOUT_S,
    )


class Workshop:
    """A copy of csrc/, compiled as it is, and what is needed to compile it with a change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.csrc = folder / "csrc"
        shutil.copytree(CSRC, self.csrc, ignore=shutil.ignore_patterns("build"))
        whole = folder / "whole"
        whole.mkdir()
        with ThreadPoolExecutor(JOBS) as pool:
            compiled = pool.map(
                lambda source: compile_one(source, whole, [self.csrc, self.csrc / "include"]),
                sources(self.csrc),
            )
            self.objects = dict(zip(sources(self.csrc), compiled, strict=True))
        self.program = link(list(self.objects.values()), whole / "tests")

    def users(self, file: Path) -> list[Path]:
        """The sources that a change of this file makes old."""
        return [
            source
            for source, compiled in self.objects.items()
            if str(file) in compiled.with_suffix(".d").read_text().split()
        ]

    def check_unmutated(self, case: str) -> None:
        if case not in doctest(self.program, case, "--list-test-cases").stdout.splitlines():
            raise BrokenRun(f"no test is called {case!r}")
        red = doctest(self.program, case)
        if red.returncode != 0:
            raise BrokenRun(f"{case!r} is red with every guard in place\n{red.stdout}")

    def mutant(self, guard: Guard, folder: Path) -> Path:
        """The test program without this guard."""
        original = self.csrc / guard.file
        text = original.read_text()
        if text.count(guard.text) != 1:
            raise BrokenRun(
                f"{guard.file} has {guard.text!r} {text.count(guard.text)} times, not once"
            )
        changed = folder / guard.file
        changed.parent.mkdir(parents=True)
        changed.write_text(text.replace(guard.text, guard.without))
        objects = dict(self.objects)
        for source in self.users(original):
            # Before the originals in the search for headers.
            include = [folder, self.csrc, self.csrc / "include"]
            objects[source] = compile_one(
                changed if source == original else source, folder, include
            )
        return link(list(objects.values()), folder / "tests")

    def surviving(self, guard: Guard) -> list[str]:
        """The tests that do not notice that this guard is gone."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            program = self.mutant(guard, Path(folder))
            return [case for case in guard.cases if doctest(program, case).returncode == 0]


def judge(workshop: Workshop, guard: Guard) -> str | None:
    """What is wrong about this guard, if anything."""
    try:
        green = workshop.surviving(guard)
    except BrokenRun as broken:
        return str(broken)
    except subprocess.TimeoutExpired as expired:
        return f"without it {expired.cmd[1]!r} does not end"
    return f"without it still green: {', '.join(map(repr, green))}" if green else None


def main(wanted: list[str]) -> int:
    begun = time.monotonic()
    guards = [g for g in GUARDS if not wanted or any(word in g.name for word in wanted)]
    with tempfile.TemporaryDirectory(prefix="rt-infer-mutants-") as folder:
        try:
            workshop = Workshop(Path(folder))
            with ThreadPoolExecutor(JOBS) as pool:
                list(pool.map(workshop.check_unmutated, {c: 0 for g in guards for c in g.cases}))
        except (BrokenRun, subprocess.TimeoutExpired) as broken:
            print(broken, file=sys.stderr)
            return 1
        print(f"all tests green, built in {time.monotonic() - begun:.0f} s", flush=True)
        failures = 0
        with ThreadPoolExecutor(JOBS) as pool:
            verdicts = pool.map(lambda guard: judge(workshop, guard), guards)
            for guard, wrong in zip(guards, verdicts, strict=True):
                print(f"{'FAIL' if wrong else 'red '}  {guard.name}", flush=True)
                if wrong:
                    failures += 1
                    print(f"      {wrong}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{len(guards) - failures} of {len(guards)} guards are noticed missing, {seconds:.0f} s")
    return 1 if failures or not guards else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
