"""The pytest plugin, in pytest runs of their own: what is collected, what is reported, and what is imported."""

import json
from xml.etree import ElementTree

import pytest

import gradcheck.casefile.load  # noqa: F401  # NumPy cannot be loaded again by each run inside of this process

pytest_plugins = ["pytester"]

CASES = """\
defaults: {tags: [slow]}
cases:
  good: {inputs: {x: 1.0}, expr: x * x, tags: [first, skip], dtype: [float32, float64]}
  bad: {inputs: {x: [1.0, 2.0]}, expr: x * x, expect: {gradients: {x: [2.0, 5.0]}}}
  broken: {inputs: {x: 1.0}, expr: tf.reduce_sun(x)}
  known: {inputs: {x: 1.0}, expr: x * x, expect: {output: 3.0}, known_mismatch: on purpose}
  cured: {inputs: {x: 1.0}, expr: x * x, known_mismatch: it never did}
  later: {inputs: {x: 1.0}, expr: x * x, skip: not today}
"""
NAMES = [f"cases/many.yaml::{each}" for each in ("good[float32]", "good[float64]", "bad", "broken", "known", "cured")]
NAMES.append("cases/many.yaml::later")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a file of cases, one case in a file of its own, a file that is none, and a test."""
    monkeypatch.setenv("GRADCHECK_CACHE", str(pytester.path / "cache"))
    for folder in ("cases", "cases/deep"):
        pytester.mkdir(folder)
    files = {
        "cases/many.yaml": CASES,
        "cases/deep/one.yml": "inputs: {x: 1.0}\nexpr: x * x\ndtype: [float64]\n",
        "other.yaml": "on: push\n",
        "test_plain.py": "def test_plain(): pass\n",
    }
    for name, text in files.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    return pytester


def collected(project: pytest.Pytester, *options: str) -> list[str]:
    result = project.runpytest_inprocess("--collect-only", "-q", "--strict-markers", *options)
    return [line for line in result.outlines if "::" in line]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--gradcheck", "cases"], ["cases/deep/one.yml::one", *NAMES]),
        (["--gradcheck", "cases/many.yaml"], NAMES),
        (["--gradcheck", "cases", "-k", "good or known"], [NAMES[0], NAMES[1], NAMES[4]]),
        (["--gradcheck", "cases", "-m", "first"], NAMES[:2]),
        (["--gradcheck", "cases", "-m", "gradcheck and not slow"], ["cases/deep/one.yml::one"]),
        (["--gradcheck", "cases/many.yaml::good[float64]"], [NAMES[1]]),
        (["-o", "gradcheck_files=cases/*.y*ml"], ["test_plain.py::test_plain", "cases/deep/one.yml::one", *NAMES]),
        (["-o", "gradcheck_files=cases/many.yaml nothing.yaml"], ["test_plain.py::test_plain", *NAMES]),
        ([], ["test_plain.py::test_plain"]),
        (["cases", "test_plain.py"], ["test_plain.py::test_plain"]),
    ],
)
def test_what_is_collected(project: pytest.Pytester, options: list[str], names: list[str]) -> None:
    assert sorted(collected(project, *options)) == sorted(names)


def test_nothing_is_imported_where_there_is_no_case(project: pytest.Pytester) -> None:
    project.makeconftest(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    print('loaded:', *[each for each in sys.modules if each.startswith(('gradcheck', 'numpy', 'pydantic'))])\n"
    )
    result = project.runpytest_subprocess("-p", "no:hypothesispytest")
    result.stdout.fnmatch_lines(["loaded: gradcheck gradcheck.pytest_plugin"])


def test_an_error_in_a_file_is_shown_in_the_file(project: pytest.Pytester) -> None:
    (project.path / "cases" / "many.yaml").write_text("inputs: {x: 1.0}\nexpr: x\nexpct: {}\n", encoding="utf-8")
    result = project.runpytest_inprocess("--gradcheck", "cases")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "* ERROR collecting cases/many.yaml *",
            "cases/many.yaml:3:1: error[[]unknown-key[]]: unknown key `expct`",
            "  |",
            "3 | expct: {}",
            "  | ^^^^^",
            "  = help: did you mean `expect`?",
        ],
        consecutive=True,
    )
    result.stdout.no_fnmatch_line("*Traceback*")


KNOWN = """\
cases:
  bad: {inputs: {x: [1.0, 2.0]}, expr: x * x, expect: {gradients: {x: [2.0, 5.0]}}}
  worse: {inputs: {x: 1.0}, expr: x * x, expect: {gradients: {x: null}}}
  new: {inputs: {x: 1.0}, expr: x * x, expect: {output: 3.0}}
  fixed: {inputs: {x: 1.0}, expr: x * x}
  broken: {inputs: {x: 1.0}, expr: tf.reduce_sun(x)}
  cured: {inputs: {x: 1.0}, expr: x * x, known_mismatch: it never did}
  back: {inputs: {x: 1.0}, expr: x * x, expect: {output: 3.0}, known_mismatch: on purpose}
"""


def baseline(**failures: str) -> str:
    named = {f"../cases/many.yaml::{name}": verdict for name, verdict in failures.items()}
    return json.dumps({"format": "gradcheck baseline", "version": 1, "failures": named})


def test_known_failures_are_expected_and_others_fail_as_with_compare(project: pytest.Pytester) -> None:
    (project.path / "cases/many.yaml").write_text(KNOWN, encoding="utf-8")
    project.mkdir("ci")
    known = baseline(
        bad="mismatch", worse="mismatch", fixed="mismatch", broken="error", cured="agree", back="agree", gone="error"
    )
    (project.path / "ci/known.json").write_text(known, encoding="utf-8")
    options = ("--gradcheck-baseline=ci/known.json", "-o", "xfail_strict=true", "-n", "1", "-rA")
    result = project.runpytest_subprocess("--gradcheck", "cases/many.yaml", *options)
    result.assert_outcomes(failed=2, xfailed=3, xpassed=2)
    result.stdout.fnmatch_lines_random(
        [
            "XFAIL cases/many.yaml::bad - known failure: mismatch",
            "XFAIL cases/many.yaml::broken - known failure: error",
            "XFAIL cases/many.yaml::cured - known failure: agree",
            "FAILED cases/many.yaml::worse - disconnected: *",
            "FAILED cases/many.yaml::new - mismatch: *",
            "XPASS cases/many.yaml::fixed - known failure: mismatch",
            "XPASS cases/many.yaml::back - known failure: agree",
        ]
    )


REFUSED = "cases:\n  broken: {inputs: {x: 1.0}, expr: tf.reduce_sun(x)}\n"


@pytest.mark.parametrize(
    ("options", "folder", "outcome"),
    [
        ([], ".", {"failed": 1}),
        (["-o", "gradcheck_baseline=ci/known.json"], ".", {"xfailed": 1}),
        (["-o", "gradcheck_baseline=ci/known.json"], "ci", {"xfailed": 1}),
        (["-o", "gradcheck_baseline=ci/none.json", "--gradcheck-baseline=known.json"], "ci", {"xfailed": 1}),
        (["-o", "gradcheck_baseline=ci/known.json", "--runxfail"], ".", {"failed": 1}),
    ],
)
def test_where_the_baseline_is_named(
    project: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    folder: str,
    outcome: dict[str, int],
) -> None:
    """By the ini file from pytest's root folder, by the command line from where that runs."""
    cases = project.path / "cases/many.yaml"
    cases.write_text(REFUSED, encoding="utf-8")
    project.mkdir("ci")
    (project.path / "ci/known.json").write_text(baseline(broken="error"), encoding="utf-8")
    monkeypatch.chdir(project.path / folder)
    result = project.runpytest_inprocess("--gradcheck", cases, f"--rootdir={project.path}", *options)
    result.assert_outcomes(**outcome)
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.json", "the baseline */none.json cannot be read: No such file or directory"),
        ("many.yaml", "*/many.yaml is not a baseline: Invalid JSON*"),
    ],
)
def test_a_baseline_that_cannot_be_used_stops_the_run(project: pytest.Pytester, name: str, message: str) -> None:
    result = project.runpytest_inprocess("--gradcheck", "cases", f"--gradcheck-baseline=cases/{name}")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["* ERROR collecting cases/many.yaml *", message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_engine_that_is_not_there_is_named(project: pytest.Pytester) -> None:
    """The project's own engine is tested, as `gradcheck compare` would."""
    project.makepyprojecttoml('[tool.gradcheck]\nengine = "mine.py"\n')
    result = project.runpytest_subprocess("--gradcheck", "cases", "-k", "good")
    result.assert_outcomes(failed=2, deselected=6)
    result.stdout.fnmatch_lines([f"there is no file {project.path / 'mine.py'}"])


COUNTING = """\
import multiprocessing, os, pathlib, pytest

def note():
    with pathlib.Path(f"count-{os.getpid()}").open("a") as file:
        print(len(multiprocessing.active_children()), file=file)

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    note()

def pytest_unconfigure():
    note()
"""


def counted(project: pytest.Pytester) -> list[tuple[int, ...]]:
    """For each process since the last call, how many it had started that ran after its tests, and at its end."""
    files = list(project.path.glob("count-*"))
    counts = [tuple(map(int, each.read_text(encoding="utf-8").split())) for each in files]
    for each in files:
        each.unlink()
    return counts


def test_a_run_on_a_worker_of_xdist_starts_tensorflow_once_and_the_next_run_does_not(project: pytest.Pytester) -> None:
    project.makeconftest(COUNTING)
    result = project.runpytest_subprocess(
        "--gradcheck", "cases", "-n", "1", "-ra", "--strict-markers", "-W", "error", "--junitxml=report.xml"
    )
    result.assert_outcomes(passed=3, failed=3, xfailed=1, skipped=1)
    result.stdout.fnmatch_lines_random(
        [
            "_* cases/many.yaml::bad _*",
            "mismatch: the gradient with respect to `x` at [[]1[]]: numpy 4, expect 5; off by 1, *",
            "run again: gradcheck compare cases/many.yaml -k bad --show values",
            "cases/many.yaml:5:36: error[[]unknown-op[]]: `tf.reduce_sun` is not an operation in the table",
            "  = help: did you mean `tf.reduce_sum`?",
            "[[]XPASS(strict)[]] known mismatch: it never did",
            "XFAIL cases/many.yaml::known - known mismatch: on purpose",
            "SKIPPED [[]1[]] cases/many.yaml: not today",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*.py:*")
    cases = {each.get("name"): each for each in ElementTree.parse(project.path / "report.xml").iter("testcase")}
    failure = cases["bad"].find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith("mismatch: the gradient with respect to `x` at [1]: numpy 4, expect 5")
    assert cases.keys() == {"one", *(each.partition("::")[2] for each in NAMES)}
    verdict = cases["good[float32]"].find("properties/property[@name='verdict']")
    assert verdict is not None
    assert verdict.get("value") == "agree"
    assert sorted(counted(project)) == [(0, 0), (1, 0)]  # of xdist itself, and of its worker
    project.runpytest_subprocess("--gradcheck", "cases", "-k", "good").assert_outcomes(passed=2, deselected=6)
    assert counted(project) == [(0, 0)]
