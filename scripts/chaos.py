"""Whether `gradcheck compare --jobs` survives the death of its processes: they are killed at random, on Linux.

After every run it is looked at whether each case has one result, the right one; and whether a process, a temporary file
or a damaged answer was left. Ends with 1 if anything was wrong.

python scripts/chaos.py --kills 200
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import show

from gradcheck.casefile.find import find
from gradcheck.keeping.store import FOLDER
from gradcheck.verdict.record import Verdict

LARGE = """\
cases:
  large: {inputs: {x: {shape: [20000], random: normal, seed: 1}}, dtype: [float32, float64], expr: tf.tanh(x) * x}
  wide: {inputs: {x: {shape: [200, 200], random: normal, seed: 1}}, dtype: [float32, float64], expr: x @ x}
"""
"""Results that a process does not hand over in one piece."""
SMALL = 2
"""How many files a run has that asks TensorFlow."""
FILES = 8
"""How many files the others have."""
TWICE = "and so again at the second attempt"
HANGS = 900.0
"""Seconds after which a run is said to hang."""
MARK = "GRADCHECK_CHAOS"
"""The environment variable by which the processes of a run are known."""
GONE = 10.0
"""Seconds that processes have to be gone after a run."""


@dataclass(frozen=True)
class Kind:
    """A way to run: the mean time between two kills, in seconds, and how many there are at most in a run."""

    pause: float
    most: int
    options: tuple[str, ...] = ()
    fresh: bool = False
    """Whether no answer is kept when it begins."""

    @property
    def quick(self) -> bool:
        """Whether TensorFlow need not be imported."""
        return not self.fresh and not self.options


KINDS = {
    "kept": Kind(0.4, 40),
    "kept, slower": Kind(1.5, 20),
    "new": Kind(4.0, 8, fresh=True),
    "not kept": Kind(4.0, 8, ("--no-cache",)),
}
ORDER = ("kept", "not kept", "kept, slower", "kept", "new", "kept", "kept, slower", "kept")


@dataclass(frozen=True)
class Ran:
    """What a run came to: verdict and message of each result, by the id of its case, as often as it is there."""

    status: int | None
    results: list[tuple[str, str, str]]
    files: dict[str, str]
    """The file of each case."""
    errors: str
    seconds: float


class Killer(threading.Thread):
    """Kills one of the processes that compare cases, again and again; half of the time just as an answer is kept."""

    def __init__(self, kind: Kind, most: int, rng: random.Random, temporary: Path, cache: Path) -> None:
        super().__init__()
        self._kind = kind
        self._most = most
        self._rng = rng
        self._temporary = temporary
        self._cache = cache
        self._over = threading.Event()
        self.kills = 0

    def run(self) -> None:
        while self.kills < self._most and not self._over.wait(self._rng.expovariate(1 / self._kind.pause)):
            if self._kind.fresh and self._rng.random() < 0.5:
                self._await_answer()
            workers = [each for each in started(self._temporary) if b"spawn_main" in command(each)]
            if workers:
                os.kill(self._rng.choice(workers), signal.SIGKILL)
                self.kills += 1

    def _await_answer(self) -> None:
        before = self._kept()
        while self._kept() == before and not self._over.wait(0.002):
            pass

    def _kept(self) -> int:
        return sum(1 for _ in self._cache.rglob("*"))

    def stop(self) -> None:
        self._over.set()
        self.join()


def started(temporary: Path) -> list[int]:
    """The processes of the run with this folder for temporary files, whichever of them started the others."""
    wanted = f"{MARK}={temporary}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            if wanted in each.read_bytes().split(b"\0"):
                found.append(int(each.parent.name))
        except OSError:  # ended, or somebody else's
            continue
    return found


def command(pid: int) -> bytes:
    """How a process was started; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def compare(paths: Sequence[Path], options: Sequence[str], cache: Path, temporary: Path, report: Path) -> Ran:
    """Run the command to its end."""
    arguments = [
        sys.executable,
        "-m",
        "gradcheck",
        "compare",
        *map(str, paths),
        *options,
        "--report",
        f"jsonl={report}",
    ]
    environment = {**os.environ, FOLDER: str(cache), "TMPDIR": str(temporary), MARK: str(temporary)}
    report.unlink(missing_ok=True)
    since = time.perf_counter()
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            _, errors = process.communicate(timeout=HANGS)
        except subprocess.TimeoutExpired:
            for each in started(temporary):
                os.kill(each, signal.SIGKILL)
            errors = ""
    status = None if process.returncode == -signal.SIGKILL else process.returncode
    records = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()] if report.exists() else []
    results = [
        (each["id"], each["verdict"], " ".join(said["message"] for said in each["failures"])) for each in records
    ]
    files = {each["id"]: each["file"] for each in records}
    return Ran(status, results, files, errors, time.perf_counter() - since)


def violations(ran: Ran, expected: Mapping[str, str], status: int, kills: int, temporary: Path) -> list[str]:
    """What is wrong with a run that should have had these verdicts and, undisturbed, this exit status."""
    if ran.status is None:
        return [f"it hangs: {len(ran.results)} of {len(expected)} results after {HANGS:g} s"]
    counts = Counter(case for case, _, _ in ran.results)
    wrong = [f"no result: {case}" for case in expected if case not in counts]
    wrong += [f"{count} results: {case}" for case, count in counts.items() if count > 1 or case not in expected]
    crashed = 0
    for case, verdict, message in ran.results:
        if verdict == expected.get(case):
            continue
        crashed += TWICE in message
        if TWICE not in message:
            wrong.append(f"{verdict} instead of {expected.get(case)}: {case}: {message}")
    if 2 * crashed > kills:
        wrong.append(f"{crashed} cases lost their process twice, but there were only {kills} kills")
    if ran.status != (3 if crashed else status):
        wrong.append(f"exit status {ran.status}")
    if ran.errors:
        wrong.append(f"standard error: {ran.errors.strip()}")
    wrong += left_behind(temporary)
    return wrong


def left_behind(temporary: Path) -> list[str]:
    """The processes and temporary files that are still there."""
    until = time.monotonic() + GONE
    while (processes := started(temporary)) and time.monotonic() < until:
        time.sleep(0.05)
    wrong = [f"process {each} is left: {command(each).replace(bytes(1), b' ').decode()}" for each in processes]
    return wrong + [f"{each} is left" for each in temporary.iterdir()]


class Suite:
    """Case files, and what comes of them undisturbed: verdicts by file and id, and the exit status."""

    def __init__(self, files: Sequence[Path], jobs: Sequence[str], folder: Path) -> None:
        self.files = files
        self._jobs = jobs
        self._report = folder / "report.jsonl"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.cache = folder / "cache"
        first = self.run(files, (), self.cache)
        if first.errors or first.status is None:
            sys.exit(f"already undisturbed it fails: {first.errors}")
        self.status = first.status
        self._verdicts = {case: verdict for case, verdict, _ in first.results}
        self._file = first.files
        print(f"{len(self._verdicts)} cases in {first.seconds:.0f} s undisturbed")

    def run(self, files: Sequence[Path], options: Sequence[str], cache: Path) -> Ran:
        """Compare the cases of these files, with TensorFlow's answers from `cache`, but no results."""
        shutil.rmtree(cache / "results", ignore_errors=True)
        return compare(files, [*self._jobs, *options], cache, self.temporary, self._report)

    def expected(self, files: Sequence[Path]) -> dict[str, str]:
        """The verdicts of the cases in these files."""
        names = {each.as_posix() for each in files}
        return {case: verdict for case, verdict in self._verdicts.items() if self._file[case] in names}

    def wrong(self, ran: Ran, files: Sequence[Path], kills: int = 0) -> list[str]:
        """See `violations`."""
        return violations(ran, self.expected(files), self.status, kills, self.temporary)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", default=["cases"], metavar="PATH")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--jobs", default="2")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        large = Path(folder, "large.yaml")
        large.write_text(LARGE, encoding="utf-8")
        files = [Path(each) for each in find(arguments.paths).files]
        suite = Suite([large, *files], ["--jobs", arguments.jobs], Path(folder))
        if not disturbed(suite, large, arguments.kills, random.Random(arguments.seed)):
            sys.exit(1)


def disturbed(suite: Suite, large: Path, kills: int, rng: random.Random) -> bool:
    """Run until there were so many kills; whether nothing was wrong."""
    rows: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    seconds: Counter[str] = Counter()
    others = [each for each in suite.files if each != large]
    number = 0
    while (done := sum(each["kills"] for each in rows.values())) < kills:
        name = ORDER[number % len(ORDER)]
        kind = KINDS[name]
        number += 1
        files = [large, *rng.sample(others, min(len(others), FILES if kind.quick else SMALL))]
        cache = suite.cache.with_name(f"cache-{number}") if kind.fresh else suite.cache
        killer = Killer(kind, min(kind.most, kills - done), rng, suite.temporary, cache)
        killer.start()
        ran = suite.run(files, kind.options, cache)
        killer.stop()
        wrong = suite.wrong(ran, files, killer.kills)
        if kind.fresh:  # what was kept in between is whole
            wrong += [f"afterwards: {each}" for each in suite.wrong(suite.run(files, (), cache), files)]
        expected = suite.expected(files)
        found = Counter(case for case, _, _ in ran.results)
        row = {
            "runs": 1,
            "kills": killer.kills,
            "results": len(ran.results),
            "lost": len(expected.keys() - found.keys()),
            "repeated": sum(found.values()) - len(found),
            "crashed": sum(verdict == Verdict.CRASHED for _, verdict, _ in ran.results),
            "wrong": len(wrong),
        }
        rows[name].update(row)
        seconds[name] += round(ran.seconds)
        print(f"run {number}, {name}: {', '.join(f'{value} {key}' for key, value in row.items())}, {ran.seconds:.1f} s")
        for each in wrong:
            print(f"  {each}")
        sys.stdout.flush()
    final = suite.wrong(suite.run(suite.files, (), suite.cache), suite.files)
    for each in final:
        print(f"undisturbed afterwards: {each}")
    headings = ["runs", "kills", "results", "lost", "repeated", "crashed", "wrong"]
    table = [[name, *(str(row[each]) for each in headings), str(seconds[name])] for name, row in rows.items()]
    total = [str(sum(row[each] for row in rows.values())) for each in headings]
    show("Processes killed", ["run", *headings, "s"], [*table, ["all", *total, str(seconds.total())]])
    return not final and not any(row["wrong"] for row in rows.values())


if __name__ == "__main__":
    main()
