"""Linear regression from scratch on our engine: 100 rows of 3 features, weights and a bias, gradient descent.

    python scripts/train_linear.py [loss.svg]

Prints the falling loss, and writes its curve if a file is named and matplotlib is installed.
"""

import sys
from pathlib import Path

import numpy as np

from gradcheck import differentiate, evaluate, tf, trace

STEPS, RATE = 200, 0.1


def data() -> tuple[np.ndarray, np.ndarray]:
    """Inputs 100x3 and targets 100x1 of a known line with a little noise, in float64."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((100, 3))
    return x, x @ np.array([[1.5], [-2.0], [0.5]]) + 0.7 + 0.05 * rng.standard_normal((100, 1))


def train() -> tuple[list[float], np.ndarray, np.ndarray]:
    """The loss at each step, and the weights and bias that were found."""
    x, y = data()
    w, b = np.zeros((3, 1)), np.zeros(1)
    program = trace(lambda x, y, w, b: tf.reduce_mean((x @ w + b - y) ** 2), {"x": x, "y": y, "w": w, "b": b})
    gradient = differentiate(program, ["w", "b"])
    losses: list[float] = []
    for _ in range(STEPS):
        loss, dw, db = evaluate(gradient, {"x": x, "y": y, "w": w, "b": b, "cotangent": np.ones(())})
        assert loss is not None
        assert dw is not None
        assert db is not None
        losses.append(float(loss))
        w, b = w - RATE * dw, b - RATE * db
    return losses, w, b


def draw(losses: list[float], path: Path) -> None:
    """The loss curve as a picture, in the format that the file's name asks for."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
    axes.semilogy(losses)
    axes.set(xlabel="step", ylabel="mean squared error", title="Linear regression on gradcheck's engine")
    figure.savefig(path)


def main() -> None:
    losses, w, b = train()
    for step in (0, 1, 2, 5, 10, 20, 50, 100, STEPS - 1):
        print(
            f"step {step:3d}  loss {losses[step]:.6f}  {'#' * round(8 * np.log10(losses[step] / losses[-1] + 1e-12))}"
        )
    print(f"weights {w.ravel().round(3).tolist()}, bias {b.round(3).tolist()}")
    if len(sys.argv) > 1:
        draw(losses, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
