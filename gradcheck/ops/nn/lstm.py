"""A layer of long short-term memory over all its frames."""

from __future__ import annotations

from typing import Any

from gradcheck.dtypes import FLOAT16, FLOAT32
from gradcheck.ops.declaration import OpError, compose, sample
from gradcheck.ops.shapes import as_bool, as_float, as_int
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor


def _check(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tensor.shape != shape:
        raise OpError(
            f"`tf.raw_ops.BlockLSTMV2`: `{name}` must have shape {list(shape)}, not {list(tensor.shape)}", argument=name
        )


CELL = ((2, 3), (2, 3), (5, 12), (3,), (3,), (3,), (12,))


@compose(
    "tf.raw_ops.BlockLSTMV2",
    domains=(),
    dtypes=(FLOAT16, FLOAT32),
    several=True,
    samples=(
        sample(3, (3, 2, 2), *CELL),
        sample(3, (3, 2, 2), *CELL, use_peephole=True),
        sample(2, (2, 2, 2), *CELL, cell_clip=0.3),
    ),
    convention="frames from `seq_len_max` on are 0, where TensorFlow's memory is not written to; without peepholes "
    "their weights are connected with 0; TensorFlow's gradient takes the gates in another order, passes nothing on "
    "from the gates, and takes no account of the clipping",
)
def _block_lstm(
    seq_len_max: Any,
    x: Tensor,
    cs_prev: Tensor,
    h_prev: Tensor,
    w: Tensor,
    wci: Tensor,
    wcf: Tensor,
    wco: Tensor,
    b: Tensor,
    cell_clip: Any = 0,
    use_peephole: Any = False,
    name: str | None = None,
) -> list[Tensor]:
    """The gates in the order input, forget, cell and output, from `[x, h] @ w + b`.

    Hochreiter and Schmidhuber 1997, Long short-term memory; with the peepholes of Gers and Schmidhuber 2000.
    """
    if x.ndim != 3 or cs_prev.ndim != 2:
        raise OpError("`tf.raw_ops.BlockLSTMV2` takes `x` of rank 3 and `cs_prev` of rank 2", argument="x")
    frames, rows, width = x.shape
    size = cs_prev.shape[1]
    _check("cs_prev", cs_prev, (rows, size))
    _check("h_prev", h_prev, (rows, size))
    _check("w", w, (width + size, 4 * size))
    for each, weights in (("wci", wci), ("wcf", wcf), ("wco", wco)):
        _check(each, weights, (size,))
    _check("b", b, (4 * size,))
    last = as_int(seq_len_max, "seq_len_max")
    if not 0 <= last <= frames:
        raise OpError(f"`seq_len_max` must be from 0 to {frames}, not {last}", argument="seq_len_max")
    clip, open_ = as_float(cell_clip, "cell_clip"), float(as_bool(use_peephole, "use_peephole"))
    to_input, to_forget, to_output = (open_ * each for each in (wci, wcf, wco))
    fed = tf.matmul(tf.reshape(x, (frames * rows, width)), w[:width]) + b
    fed = tf.reshape(fed, (frames, rows, 4 * size))
    cell, given = cs_prev, h_prev
    found: list[list[Tensor]] = []
    for frame in range(last):
        enters, keeps, new, leaves = tf.split(fed[frame] + tf.matmul(given, w[width:]), 4, axis=1)
        enters, keeps = tf.sigmoid(enters + cell * to_input), tf.sigmoid(keeps + cell * to_forget)
        new = tf.tanh(new)
        cell = new * enters + cell * keeps
        if clip > 0:
            cell = tf.clip_by_value(cell, -clip, clip)
        leaves, shown = tf.sigmoid(leaves + cell * to_output), tf.tanh(cell)
        given = shown * leaves
        found.append([enters, cell, keeps, leaves, new, shown, given])
    nothing = [tf.zeros_like(cs_prev)] * 7
    return [tf.stack(list(each)) for each in zip(*found, *[nothing] * (frames - last), strict=True)]
