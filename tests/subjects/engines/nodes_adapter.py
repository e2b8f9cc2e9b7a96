"""`nodes` for gradcheck."""

import nodes

from gradcheck.subjects import GraphEngine

engine = GraphEngine(
    placeholder=nodes.placeholder,
    gradients=nodes.gradients,
    execute=lambda wanted, feed: nodes.Executor(wanted).run(feed),
    functions={"tf.exp": nodes.exp, "tf.tanh": nodes.tanh, "tf.reduce_sum": nodes.reduce_sum},
    dtypes=("float32", "float64"),
)
