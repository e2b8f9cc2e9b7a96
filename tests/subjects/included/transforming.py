"""What an engine that transforms functions must do beside its table, whichever library it is."""

import numpy as np

from gradcheck.dtypes import Array
from gradcheck.engine.tracing import trace
from gradcheck.engines import Engine, Outcome, Request
from gradcheck.ops import tf


def asked(engine: Engine, call: object, inputs: dict[str, object], cotangent: object = None, **more: object) -> Outcome:
    """What `engine` answers about the program of `call`, whose one output has this cotangent."""
    arrays = {name: np.asarray(each) for name, each in inputs.items()}
    program = trace(call, arrays)
    seed = None if cotangent is None else np.asarray(cotangent, program.types[program.outputs[0]].dtype)
    found = engine.run(Request(program, arrays, tuple(arrays), ((seed,),), **more))
    assert isinstance(found, Outcome), found
    return found


def gradients(*asking: object, **more: object) -> tuple[Array | None, ...]:
    return asked(*asking, **more).gradients[0]


def assert_complex_cotangents_are_those_of_tensorflow(engine: Engine) -> None:
    """A gradient is the cotangent times the conjugate of the derivative; that of a real function is df/dx + i df/dy."""
    z, g = 1.0 + 2.0j, 3.0 - 1.0j
    (holomorphic,) = gradients(engine, lambda z: z * z, {"z": z}, g)
    np.testing.assert_allclose(holomorphic, g * np.conj(2 * z))
    (conjugate,) = gradients(engine, lambda z: tf.math.conj(z), {"z": z}, g)
    np.testing.assert_allclose(conjugate, np.conj(g))
    (magnitude,) = gradients(engine, lambda z: tf.abs(z), {"z": z})
    np.testing.assert_allclose(magnitude, z / abs(z))
    (imaginary,) = gradients(engine, lambda z: tf.math.imag(z), {"z": z})
    np.testing.assert_allclose(imaginary, 1j)


def assert_zeros_stand_for_not_connected(engine: Engine) -> None:
    assert "unconnected" in engine.conventions
    left, right = gradients(engine, lambda x, y: x * x + tf.stop_gradient(y), {"x": [2.0], "y": [3.0, 4.0]})
    np.testing.assert_array_equal(left, [8.0])  # one for each element of y
    np.testing.assert_array_equal(right, [0.0, 0.0])


def assert_directions_are_cotangents_of_the_first_gradients(engine: Engine) -> None:
    x, y = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    v, w = np.array([0.5, 2.0]), np.array([-1.0, 4.0])
    inputs = {"x": x, "y": y}
    of_x, of_y = gradients(engine, lambda x, y: x**3 * y, inputs, directions=(v, w))
    np.testing.assert_allclose(of_x, 6 * x * y * v + 3 * x**2 * w)
    np.testing.assert_allclose(of_y, 3 * x**2 * v)
    of_x, of_y = gradients(engine, lambda x, y: x**3 * y, inputs, directions=(None, w))
    np.testing.assert_allclose(of_x, 3 * x**2 * w)
    np.testing.assert_array_equal(of_y, [0.0, 0.0])


def assert_gradients_stop_in_the_second_order_too(engine: Engine) -> None:
    (found,) = gradients(engine, lambda x: x * x * tf.stop_gradient(x), {"x": 3.0}, directions=(np.array(1.0),))
    np.testing.assert_allclose(found, 6.0)  # of 2 x c with c = x kept fixed


def assert_labels_are_no_constants_of_the_gradient(engine: Engine) -> None:
    """By the logits z it is sum(labels) softmax(z) - labels, of which a direction v has v.softmax(z) - v by those."""
    assert "tf.nn.softmax_cross_entropy_with_logits" in engine.conventions
    by_labels, _ = gradients(
        engine,
        lambda y, z: tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=z),
        {"y": [1.0, 0.0], "z": [0.0, 0.0]},
        directions=(None, np.array([1.0, 0.0])),
    )
    np.testing.assert_allclose(by_labels, [-0.5, 0.5])


def assert_integers_come_out_beside_gradients(engine: Engine) -> None:
    found = asked(engine, lambda x: tf.argmax(x), {"x": [1.0, 5.0, 2.0]})
    np.testing.assert_array_equal(found.outputs[0], 1)
    assert found.outputs[0].dtype == np.int64
    (only,) = found.gradients[0]
    assert only is None or not only.any()
