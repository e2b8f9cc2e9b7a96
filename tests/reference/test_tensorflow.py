"""TensorFlow's side by itself: what the tape answers, in the records that a comparison takes."""

import numpy as np

from gradcheck import tf, trace
from gradcheck.engines import Failure, Outcome, Request, Trace
from gradcheck.program import Program
from gradcheck.reference.tensorflow import TensorFlowEngine

ENGINE = TensorFlowEngine()


def request(program: Program, inputs: dict[str, np.ndarray], sources: tuple[str, ...]) -> Request:
    return Request(program, inputs, sources, ((None,) * len(program.outputs),))


def test_indexed_slices_are_summed() -> None:
    inputs = {"x": np.array([1.0, 2.0, 3.0], np.float32), "i": np.array([0, 0, 2], np.int32)}
    found = ENGINE.run(request(trace(lambda x, i: tf.gather(x, i), inputs), inputs, ("x",)))
    assert isinstance(found, Outcome)
    np.testing.assert_array_equal(found.gradients[0][0], [2, 0, 1])


def test_a_source_without_a_path_is_none_or_zeros() -> None:
    inputs = {"x": np.ones(2, np.float32), "y": np.ones(2, np.float32)}
    asked = request(trace(lambda x, y: x * 2.0, inputs), inputs, ("x", "y"))
    found = ENGINE.run(asked)
    assert isinstance(found, Outcome)
    assert found.gradients[0][1] is None
    zeros = ENGINE.run(Request(asked.program, inputs, ("x", "y"), asked.cotangents, unconnected="zero"))
    assert isinstance(zeros, Outcome)
    np.testing.assert_array_equal(zeros.gradients[0][1], [0, 0])


def test_variables_are_differentiated_like_constants() -> None:
    inputs = {"v": np.array([3.0], np.float32)}
    program = trace(lambda v: v * v, inputs)
    found = ENGINE.run(Request(program, inputs, ("v",), ((None,),), variables=frozenset({"v"})))
    assert isinstance(found, Outcome)
    np.testing.assert_array_equal(found.gradients[0][0], [6])


def test_what_tensorflow_refuses_is_told_in_its_words() -> None:
    inputs = {"x": np.ones((2, 2), np.float32)}
    singular = {"x": np.ones((2, 2), np.float32)}
    found = ENGINE.run(request(trace(lambda x: tf.linalg.inv(x), inputs), singular, ("x",)))
    assert found == Failure("error", "InvalidArgumentError: Input is not invertible.")


def test_a_trace_has_every_value_and_cotangent() -> None:
    inputs = {"x": np.array([2.0], np.float32), "y": np.array([5.0], np.float32)}
    program = trace(lambda x, y: (x * x) * y, inputs)
    found = ENGINE.trace(request(program, inputs, ("x",)), 0)
    assert isinstance(found, Trace)
    square = program.instructions[0].outputs[0]
    assert (found.values[square], found.cotangents[square]) == (4.0, 5.0)
    assert found.cotangents[program.inputs["x"]] == 20.0
    assert found.cotangents[program.inputs["y"]] is None  # not watched
