"""How long a suite takes, beside a minimal loop that imports TensorFlow and runs the same programs under a tape.

python scripts/bench_suite.py [speed] [jobs] [memory]

`speed`: at least 500 of the shipped cases, cold and warm, and one warm case. `jobs`: cases whose graphs keep TensorFlow
busy, in one process and in two. `memory`: of the main process, for at least 5,000 cases. All parts if none is named.
"""

import compileall
import os
import pickle
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from measure import Thunk, paired, ratio, seconds, show

import gradcheck as package
from gradcheck.asking import request
from gradcheck.casefile.find import find
from gradcheck.casefile.load import load_file
from gradcheck.cli.new import shipped_cases
from gradcheck.diagnostics import Refused
from gradcheck.keeping.store import FOLDER
from gradcheck.language import lower

CASES, MANY = 500, 5_000
ROUNDS = 3
BUSY = "graphs.yaml"
COPIES = 24
"""So many copies of that file keep TensorFlow busy for two minutes."""
MINIMAL = """
import pickle, sys
from gradcheck.reference.tensorflow import TensorFlowEngine
engine = TensorFlowEngine()
for each in pickle.load(open(sys.argv[1], "rb")):
    engine.run(each)
"""
PEAK = """
import resource, sys
from gradcheck.cli.main import cli
try:
    cli.main(["compare", *sys.argv[1:]], standalone_mode=False)
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""


def main() -> None:
    parts: dict[str, Callable[[Path], None]] = {"speed": speed, "jobs": jobs, "memory": memory}
    chosen = sys.argv[1:] or list(parts)
    if not set(chosen) <= set(parts):
        sys.exit(f"the parts are {', '.join(parts)}")
    compileall.compile_dir(Path(package.__file__).parent, quiet=2)  # as pip does for what it installs
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            parts[name](Path(folder))


def speed(folder: Path) -> None:
    """The same cases by a minimal loop, cold, and warm; and one warm case, in turns."""
    suite = folder / "speed"
    suite.mkdir()
    files = sorted(shipped_cases().rglob("*.yaml"))
    random.Random(1).shuffle(files)
    programs, count = [], 0
    for file in files:
        if count >= CASES:
            break
        if not any("safetensors" in line or "npy" in line for line in file.read_text(encoding="utf-8").splitlines()):
            shutil.copy(file, suite / file.name)
            loaded = load_file(suite / file.name).cases
            count += len(loaded)
            for case in loaded:
                try:
                    programs.append(request(lower(case)))
                except Refused:
                    continue
    asked = folder / "programs"
    asked.write_bytes(pickle.dumps(programs))
    one = min(suite.glob("*.yaml"), key=lambda file: file.stat().st_size)

    def cold() -> None:
        with kept_in(folder / "cold"):
            compare(suite)
        shutil.rmtree(folder / "cold")

    def warm(path: Path) -> Thunk:
        def run() -> None:
            with kept_in(folder / "warm"):
                compare(path)

        return run

    times = paired(
        {
            "a minimal loop": lambda: done(sys.executable, "-c", MINIMAL, str(asked)),
            "cold": cold,
            "warm": warm(suite),
        },
        ROUNDS,
    )
    times |= paired({"one warm case": warm(one)}, 4 * ROUNDS)
    table(f"{count} cases", times, "a minimal loop")


def jobs(folder: Path) -> None:
    """The same cases, of which TensorFlow has most of the work, by one and by two processes at a time."""
    suite = folder / "jobs"
    suite.mkdir()
    for copy in range(COPIES):
        shutil.copy(shipped_cases() / BUSY, suite / f"{copy}.yaml")
    thunks = {f"--jobs {count}": lambda count=count: compare(suite, "--no-cache", "--jobs", count) for count in "12"}
    times: dict[str, list[float]] = {name: [] for name in thunks}
    for name, thunk in (*thunks.items(), *reversed(thunks.items())):
        times[name].append(seconds(thunk))
    table(f"{COPIES} times {BUSY}", times, "--jobs 1")


def memory(folder: Path) -> None:
    """The most that the main process holds: with nothing kept, and with everything."""
    suite = folder / "memory"
    count = 0
    while count < MANY:
        copy = suite / str(count)
        shutil.copytree(shipped_cases(), copy)
        count += sum(len(load_file(file).cases) for file in find((str(copy),)).files)
    with kept_in(folder / "many"):
        rows = [
            [name, done(sys.executable, "-c", PEAK, str(suite)).splitlines()[-1].partition(".")[0]]
            for name in ("cold", "warm")
        ]
    show(f"{count} cases", ["run", "MB in the main process"], rows)


def table(title: str, times: Mapping[str, list[float]], base: str) -> None:
    """Medians of the times, and of their ratios to those of `base` where they were taken in turns."""
    rows = []
    for name, each in times.items():
        beside = f"{ratio(each, times[base]):.3f}" if len(each) == len(times[base]) else ""
        rows.append([name, f"{statistics.median(each):.2f}", beside])
    show(title, ["run", "seconds", f"beside {base}"], rows)


def compare(suite: Path, *options: str) -> None:
    gradcheck = shutil.which("gradcheck") or sys.exit("gradcheck is not installed in this environment")
    done(gradcheck, "compare", str(suite), *options)


def done(*arguments: str) -> str:
    """What a command that has to succeed prints on standard error."""
    ended = subprocess.run(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {ended.returncode}:\n{ended.stderr}")
    return ended.stderr


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Within this, runs keep what they keep in `folder`."""
    before = os.environ.get(FOLDER)
    os.environ[FOLDER] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(FOLDER)
        if before is not None:
            os.environ[FOLDER] = before


if __name__ == "__main__":
    main()
