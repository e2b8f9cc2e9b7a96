"""Programs in other languages: one that keeps to the protocol, and the ways in which one may not."""

import json
import os
import select
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from click.testing import Result

from gradcheck.engines import Failure, Outcome, Request
from gradcheck.ops.vocabulary import tf
from gradcheck.subjects import child, command_engine
from gradcheck.subjects.command_engine import CommandEngine, Unstarted
from gradcheck.subjects.protocol import json_schema
from gradcheck.subjects.worker import SubjectWorker
from tests.verdict.asking import ask

Command = Callable[..., Result]
Write = Callable[..., Path]
ROOT = Path(__file__).parents[2]
NODES = [node for node in [shutil.which("node")] if node]
ENGINE_JS = ROOT / "gradcheck" / "templates" / "engine.js"

PROGRAM = '''
import base64, json, os, signal, subprocess, sys, time
from array import array

def numbers(message):
    return array("d", base64.b64decode(message["data"]))

def message(numbers, like):
    return {"dtype": "float64", "shape": like["shape"], "data": base64.b64encode(numbers).decode()}

def once():
    """Whether this is the first time that it is asked, in this process or one before."""
    if not os.path.exists("asked"):
        return not open("asked", "w").close()

def say(message):
    print(json.dumps(message), flush=True)

for line in sys.stdin:
    asked = json.loads(line)
    if asked["type"] == "hello":
        hello = {"type": "hello", "protocol": 1, "name": "squares", "operations": ["tf.square"]}
        HELLO
        say(hello)
        continue
    given = asked["inputs"]["x"]
    x = numbers(given)
    gradients = []
    for (cotangent,) in asked["cotangents"]:
        g = [1.0] * len(x) if cotangent is None else numbers(cotangent)
        gradients.append([message(array("d", (2 * a * b for a, b in zip(g, x))), given)])
    outputs = [message(array("d", (each * each for each in x)), given)]
    answer = {"type": "outcome", "id": asked["id"], "outputs": outputs, "gradients": gradients}
    if once():
        ANSWER
    say(answer)
'''
"""Squares its input `x`, in float64; it misbehaves where it says so."""

Make = Callable[..., CommandEngine]


def write_program(folder: Path, *, answer: str = "pass", hello: str = "pass") -> None:
    """Write the program above, with a line of its own for when it says hello, or answers for the first time."""
    text = PROGRAM.replace("ANSWER", answer).replace("HELLO", hello)
    (folder / "engine.py").write_text(text, encoding="utf-8")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Write the program above, and start it."""
    engines: list[CommandEngine] = []

    def started(**planted: str) -> CommandEngine:
        write_program(tmp_path, **planted)
        engines.append(CommandEngine("engine", (sys.executable, "engine.py"), str(tmp_path)))
        return engines[-1]

    yield started
    for each in engines:
        each.stop()


X = [1.0, -3.0]


def squares() -> Request:
    return ask(lambda x: tf.square(x), x=X, cotangents=[np.array([1.0, 10.0])])


def assert_right(answer: Outcome | Failure) -> None:
    assert isinstance(answer, Outcome)
    np.testing.assert_array_equal(answer.outputs[0], [1.0, 9.0])
    np.testing.assert_array_equal(answer.gradients[0][0], [2.0, -60.0])


def test_a_program_that_keeps_to_the_protocol(make: Make) -> None:
    engine = make(hello='hello["conventions"] = {"tf.square": "of its own"}')
    assert engine.name == "squares"
    assert engine.conventions == {"tf.square": "of its own"}
    assert_right(engine.run(squares()))
    assert_right(engine.run(squares()))


FAULTS = {
    "sys.exit(3)": Failure("crashed", "the program ended by itself with status 3"),
    "sys.exit('first\\nout of memory')": Failure(
        "crashed", "the program ended by itself with status 1", "first\nout of memory"
    ),
    "os.kill(os.getpid(), signal.SIGSEGV)": Failure("crashed", "the program ended by signal 11 (SIGSEGV)"),
    "os.close(1); time.sleep(600)": Failure("crashed", "the program closed its standard output"),
    "print('{', end='', flush=True); os._exit(0)": Failure("crashed", "the program ended by itself with status 0"),
    "print('debugging')": Failure("error", "it printed `debugging` where a line of the protocol belongs"),
    "print('x' * 81)": Failure("error", f"it printed `{'x' * 80}…` where a line of the protocol belongs"),
    "sys.stdout.buffer.write(bytes([255, 10]))": Failure(
        "error", "it printed `\ufffd` where a line of the protocol belongs"
    ),
    "answer['id'] = 7": Failure("error", "it answers run 7 where run 1 was asked"),
    "answer = {'type': 'outcome', 'id': 1, 'outputs': []}": Failure(
        "error",
        'its answer `{"type": "outcome", "id": 1, "outputs": []}` is malformed: outcome.gradients: Field required',
    ),
    "answer = [1]": Failure(
        "error",
        "its answer `[1]` is malformed: Input should be an object",
    ),
    "outputs.clear()": Failure("error", "it gives 0 outputs where 1 belong"),
    "gradients.clear()": Failure("error", "it gives 0 sets of gradients where 1 belong"),
    "gradients[0] *= 2": Failure("error", "it gives 2 gradients where 1 belong"),
    "outputs[0]['data'] = ''": Failure("error", "its output has 0 bytes where float64[2] takes 16"),
    "gradients[0][0]['data'] = '!'": Failure("error", "its gradient with respect to `x` is not written in base64"),
    "answer = {'type': 'failure', 'id': 1, 'kind': 'unsupported', 'message': 'no squares', 'operation': 0}": Failure(
        "unsupported", "`tf.square`: no squares"
    ),
    "answer = {'type': 'failure', 'id': 1, 'kind': 'error', 'message': 'odd', 'details': 'here'}": Failure(
        "error", "odd", "here"
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_is_named_and_the_next_request_is_answered(
    make: Make, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "_GRACE", 0.5)
    engine = make(answer=fault)
    found, expected = engine.run(squares()), FAULTS[fault]
    assert isinstance(found, Failure)
    assert (found.kind, found.message, found.details) == (expected.kind, expected.message, expected.details)
    assert_right(engine.run(squares()))


def test_a_wrong_shape_is_left_to_the_verdict_and_null_is_not_connected(make: Make) -> None:
    answer = make(answer="outputs[0]['shape'] = [1, 2]; gradients[0] = [None]").run(squares())
    assert isinstance(answer, Outcome)
    assert answer.outputs[0].shape == (1, 2)
    assert answer.gradients == ((None,),)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            "sys.exit('no engine today')",
            "the program ended by itself with status 1 before it said hello\nno engine today",
        ),
        ("print('ready')", "it printed `ready` where a line of the protocol belongs"),
        ("hello['protocol'] = 2", "it speaks version 2 of the protocol, gradcheck version 1"),
        ("hello['operations'].append('tf.sqare')", "tf.sqare in its list of operations is not an operation"),
        ("time.sleep(600)", "the program did not answer within 0.2 s before it said hello"),
    ],
)
def test_a_program_that_does_not_say_hello(make: Make, fault: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "sleep" in fault:
        monkeypatch.setattr(command_engine, "PATIENCE", 0.2)
    with pytest.raises(Unstarted) as refused:
        make(hello=fault)
    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("program", "words"),
    [("./missing", "there is no program `./missing`"), ("./text", "`./text` cannot be run: Permission denied")],
)
def test_a_program_that_cannot_be_started(tmp_path: Path, program: str, words: str) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(Unstarted) as refused:
        CommandEngine("engine", (program,), str(tmp_path))
    assert str(refused.value) == words


def test_a_missing_program_is_told_on_the_command_line(command: Command, write: Write) -> None:
    result = command("compare", write("inputs: {x: 1.0}\nexpr: x * x\n"), "--engine", "command:./missing engine")
    assert result.exit_code == 2
    assert "command:./missing engine: there is no program `./missing`" in result.stderr


LACKING = [
    (lambda x: tf.exp(x), {}, "`tf.exp` is not among its operations"),
    (lambda x: tf.square(x), {"hello": "hello['dtypes'] = ['float32']"}, "it has no float64"),
]


@pytest.mark.parametrize(("function", "planted", "words"), LACKING)
def test_what_a_program_says_it_lacks_is_not_asked(make: Make, function: Any, planted: Any, words: str) -> None:
    found = make(answer="sys.exit()", **planted).run(ask(function, x=X))
    assert isinstance(found, Failure)
    assert (found.kind, found.message) == ("unsupported", words)


RECORDER = "hello.pop('operations'); open('lines', 'a').write(line)"
REFUSE = "open('lines', 'a').write(line); answer = {'type': 'failure', 'id': 1, 'kind': 'error', 'message': 'no'}"


def recorded(make: Make, folder: Path, request: Request) -> Any:
    """What a program that knows all operations is sent, after its lines have been held against the schema."""
    make(hello=RECORDER, answer=REFUSE).run(request)
    messages = [json.loads(line) for line in (folder / "lines").read_text().splitlines()]
    for message in messages:
        jsonschema.validate(message, json_schema())
    hello, run = messages
    assert hello == {"type": "hello", "protocol": 1}
    return run


def test_what_depends_on_no_floating_input_is_sent_as_a_constant(make: Make, tmp_path: Path) -> None:
    request = ask(
        lambda x, k: tf.reduce_sum(x * tf.cast(tf.reverse(k, [0]) + 1, np.dtype(np.float64)), axis=-1),
        x=X,
        k=np.array([3, 4], np.int32),
    )
    program = recorded(make, tmp_path, request)["program"]
    assert [each["op"] for each in program["operations"]] == ["tf.multiply", "tf.reduce_sum"]
    assert [each["name"] for each in program["inputs"]] == ["x"]
    (constant,) = program["constants"]
    five_and_four = {"dtype": "float64", "shape": [2], "data": "AAAAAAAAFEAAAAAAAAAQQA=="}
    assert constant["value"] == five_and_four
    multiply, total = program["operations"]
    assert multiply["operands"] == {"x": program["inputs"][0]["index"], "y": constant["index"]}
    assert total["operands"] == {"input_tensor": multiply["outputs"][0]}
    assert program["outputs"] == total["outputs"]


def test_arguments_at_their_defaults_are_left_out(make: Make, tmp_path: Path) -> None:
    run = recorded(make, tmp_path, ask(lambda x: tf.matmul(x, x, transpose_b=True), x=[X]))
    (operation,) = run["program"]["operations"]
    assert operation["attributes"] == {"transpose_b": True}
    assert run["cotangents"] == [[None]]


def test_a_target_that_does_not_move_is_not_asked_about(make: Make) -> None:
    request = ask(lambda x, k: [k + k, tf.square(x)], x=X, k=np.array([3], np.int32))
    answer = make().run(request)
    assert isinstance(answer, Outcome)
    np.testing.assert_array_equal(answer.outputs[0], [6])
    np.testing.assert_array_equal(answer.outputs[1], [1.0, 9.0])
    np.testing.assert_array_equal(answer.gradients[0][0], [2.0, -6.0])


HOLDS = "os.open('alive', os.O_WRONLY)"
HANGS = f"subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'], stdout={HOLDS})"


@pytest.mark.parametrize(
    ("planted", "timeout", "kind"), [({"answer": HANGS}, 2.0, "timeout"), ({"hello": f"held = {HOLDS}"}, 60.0, None)]
)
def test_no_program_outlives_its_worker(
    tmp_path: Path, planted: dict[str, str], timeout: float, kind: str | None
) -> None:
    """Neither one that hangs, with a process that it has started, nor one that waits when all is done."""
    write_program(tmp_path, **planted)
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    with SubjectWorker(f"command:{sys.executable} engine.py", timeout, tmp_path) as worker:
        answer = worker.run(squares())
        assert (answer.kind if isinstance(answer, Failure) else None) == kind
    closed, _, _ = select.select([alive], [], [], 60.0)
    os.close(alive)
    assert closed, "a process still holds the pipe open"


@pytest.mark.parametrize("node", NODES)
def test_the_example_in_javascript_agrees(node: str, command: Command, write: Write) -> None:
    case = write(
        "defaults: {dtype: [float32, float64]}\n"
        "cases:\n"
        "  elementwise:\n"
        "    inputs:\n"
        "      x: {shape: [2, 3, 1], random: normal, seed: 1}\n"
        "      y: {shape: [4], random: uniform, low: 1, high: 2, seed: 2}\n"
        "    expr: |\n"
        "      h = tf.nn.relu(x - y / 2.0) + tf.tanh(-x) * tf.math.log(y)\n"
        "      tf.reduce_sum(tf.square(h) / tf.exp(y), axis=-2, keepdims=True)\n"
        "  products:\n"
        "    inputs:\n"
        "      a: {shape: [2, 1, 3, 4], random: normal, seed: 3}\n"
        "      b: {shape: [5, 4, 2], random: normal, seed: 4}\n"
        "      c: {shape: [2, 6], random: normal, seed: 5}\n"
        "    expr: tf.reduce_sum(a @ b @ c, axis=[0, -1])\n"
        "  unconnected:\n"
        "    inputs: {x: [1.0, 2.0], y: 3.0}\n"
        "    expr: tf.reduce_sum(x)\n"
        "    wrt: [x, y]\n"
    )
    cases = [ROOT / "cases" / "matmul_chain.yaml", case]
    result = command("compare", *cases, "--engine", f"command:{shlex.join([node, str(ENGINE_JS)])}", "--strict")
    assert result.exit_code == 0, result.output
    assert "7 cases: 7 agree" in result.stdout


PLANTED = {
    "tf.tanh": ("g * (1 - y * y)", "g * (1 - y)"),
    "tf.subtract": ("a - b, () => 1, () => -1", "a - b, () => 1, () => 1"),
    "tf.truediv": ("-a / (b * b)", "-a / b"),
    "tf.matmul": ("matmul(transpose(a), g)", "matmul(a, g)"),
}


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("operation", PLANTED)
def test_a_wrong_rule_in_javascript_is_blamed(
    node: str, operation: str, command: Command, write: Write, tmp_path: Path
) -> None:
    source = ENGINE_JS.read_text(encoding="utf-8")
    right, wrong = PLANTED[operation]
    assert source.count(right) == 1
    planted = tmp_path / "planted.js"
    planted.write_text(source.replace(right, wrong), encoding="utf-8")
    case = write(
        "inputs:\n"
        "  x: {shape: [3, 3], random: normal, seed: 1}\n"
        "  w: {shape: [3, 3], random: normal, seed: 2}\n"
        "  b: {shape: [3], random: uniform, low: 1, high: 2, seed: 3}\n"
        "expr: |\n"
        "  z = (x @ w - b) / b\n"
        "  tf.reduce_sum(tf.tanh(z) * z)\n"
    )
    result = command("compare", case, "--engine", f"command:{shlex.join([node, str(planted)])}")
    assert result.exit_code == 1, result.output
    assert (
        f"engine.js is wrong: the gradient of `{operation}` (line {7 if operation == 'tf.tanh' else 6})"
        in result.stdout
    )
    assert "nothing else is wrong" in result.stdout
