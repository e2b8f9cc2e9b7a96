"""The peak memory of a backward pass, ours and eager TensorFlow's: an MLP of 12 layers on 4096x512 activations.

    python scripts/bench_memory.py

Each side runs in a process of its own, which reads its own peak before and after.
"""

import os
import resource
import subprocess
import sys
from typing import Any

import numpy as np

LAYERS, ROWS, WIDTH = 12, 4096, 512


def peak() -> float:
    """The largest resident size of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def inputs() -> dict[str, np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    arrays = {"x": rng.standard_normal((ROWS, WIDTH), np.float32)}
    for layer in range(LAYERS):
        arrays[f"w{layer}"] = rng.standard_normal((WIDTH, WIDTH), np.float32) * np.float32(0.05)
        arrays[f"b{layer}"] = np.zeros(WIDTH, np.float32)
    return arrays


def loss(tf: Any, values: dict[str, Any]) -> Any:
    h = values["x"]
    for layer in range(LAYERS):
        h = tf.nn.relu(h @ values[f"w{layer}"] + values[f"b{layer}"])
    return tf.reduce_mean(h * h)


def ours(arrays: dict[str, np.ndarray[Any, Any]]) -> float:
    from gradcheck import differentiate, evaluate, tf, trace

    sources = [name for name in arrays if name != "x"]
    gradient = differentiate(trace(lambda **values: loss(tf, values), arrays), sources)
    before = peak()
    evaluate(gradient, {**arrays, "cotangent": np.ones((), np.float32)})
    return peak() - before


def theirs(arrays: dict[str, np.ndarray[Any, Any]]) -> float:
    import tensorflow as tf

    values = {name: tf.constant(array) for name, array in arrays.items()}
    sources = [value for name, value in values.items() if name != "x"]
    with tf.GradientTape() as tape:  # a small one first: what TensorFlow sets up once is not counted
        tape.watch(sources)
        small = tf.reduce_sum(tf.nn.relu(values["x"][:1] @ values["w0"] + values["b0"]))
    tape.gradient(small, sources)
    before = peak()
    with tf.GradientTape() as tape:
        tape.watch(sources)
        target = loss(tf, values)
    tape.gradient(target, sources)
    return peak() - before


def main() -> None:
    if len(sys.argv) > 1:
        print({"gradcheck": ours, "tensorflow": theirs}[sys.argv[1]](inputs()))
        return
    from measure import show

    found = {}
    for side in ("gradcheck", "tensorflow"):
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, __file__, side]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        found[side] = float(done.stdout.split()[-1])
    rows = [[side, f"{mb:.0f}", f"{mb / found['tensorflow']:.2f}"] for side, mb in found.items()]
    show(f"Peak of forward and backward pass, {LAYERS} layers of {ROWS}x{WIDTH}", ["", "MB", "ratio"], rows)


if __name__ == "__main__":
    main()
