"""The functions and classes of TensorFlow that the language has besides operations."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gradcheck.dtypes import Array
from gradcheck.language import linear_operators, sparse, tensor_arrays, variables
from gradcheck.language.branching import Branching
from gradcheck.language.combinators import Combinators
from gradcheck.language.custom import CustomGradients
from gradcheck.language.objects import Method
from gradcheck.language.tapes import Taping
from gradcheck.language.variables import Variable
from gradcheck.tensors import Builder, Tensor


def own(builder: Builder, now: Callable[[Tensor], Array]) -> dict[str, Any]:
    """By name, for one expression; `now` gives the numbers that a tensor has at the point of the case."""
    return {
        **Taping(builder).constructors,
        **Branching(builder, now).functions,
        **Combinators(now).functions,
        **CustomGradients(builder).functions,
        **linear_operators.CONSTRUCTORS,
        **sparse.CONSTRUCTORS,
        **tensor_arrays.CONSTRUCTORS,
        **variables.CONSTRUCTORS,
        "tf.Variable": Method("tf.Variable", partial(Variable.new, builder)),
    }
