"""Einstein sums: `tf.einsum`, and `tf.tensordot` by it."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from gradcheck.dtypes import COMPLEXES, FLOATS, INT32, INT64, Array
from gradcheck.ops.batching import Call, Layout
from gradcheck.ops.declaration import REAL, OpError, Tensors, compose, declare, sample
from gradcheck.ops.shapes import Typed, as_int, conj, one_axis, sum_rounding
from gradcheck.ops.vocabulary import tf
from gradcheck.program import Shape, TensorType
from gradcheck.tensors import Tensor

ELLIPSIS = "..."
TERM = re.compile(r"[a-zA-Z]*(?:\.\.\.)?[a-zA-Z]*")


class Plan(NamedTuple):
    """An equation for operands of known shapes, without its ellipses: every axis has a letter.

    Axes of size 1 that an ellipsis broadcasts are written as a space. What is left is a plain Einstein sum, in which
    equal letters have equal sizes.
    """

    terms: tuple[str, ...]
    output: str
    sizes: dict[str, int]

    @property
    def shape(self) -> Shape:
        return tuple(self.sizes[label] for label in self.output)


@lru_cache(maxsize=1024)
def plan(equation: str, shapes: tuple[Shape, ...]) -> Plan:
    """What `equation` means for operands of these shapes; `OpError` where TensorFlow would refuse it."""
    terms, output = _parsed(equation)
    if len(terms) != len(shapes):
        raise OpError(
            f"the equation `{equation}` is for {len(terms)} tensors, not {len(shapes)}",
            argument="inputs",
        )
    spare = [letter for letter in ascii_letters if letter not in equation]
    batches = [len(shape) - len(term.replace(ELLIPSIS, "")) for term, shape in zip(terms, shapes, strict=True)]
    for number, (term, shape, batch) in enumerate(zip(terms, shapes, batches, strict=True)):
        if batch < 0 or (batch and ELLIPSIS not in term):
            raise OpError(
                f"`{equation}`: tensor {number} has shape {list(shape)}, which is not of the form `{term}`",
                argument="inputs",
            )
    widest = max(batches, default=0)
    if widest and ELLIPSIS not in output:
        raise OpError(
            f"`{equation}`: the axes of `...` must be in the output, as no letter could sum them", argument="equation"
        )
    letters = "".join(spare[:widest])
    written = [term.replace(ELLIPSIS, letters[widest - batch :]) for term, batch in zip(terms, batches, strict=True)]
    return _sized(equation, written, output.replace(ELLIPSIS, letters), letters, shapes)


def _parsed(equation: str) -> tuple[list[str], str]:
    """The terms of the inputs and of the output, which is what occurs once, in alphabetical order, if not given."""
    left, arrow, output = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    for term in (*terms, output):
        if not TERM.fullmatch(term):
            raise OpError(
                f"`{equation}`: `{term}` is not made of letters and at most one `...`",
                argument="equation",
                help="an equation looks like `ij,jk->ik` or `...ij->...ji`",
            )
    counts = Counter(left.replace(ELLIPSIS, "").replace(",", ""))
    if not arrow:
        once = [label for label in sorted(counts) if counts[label] == 1]
        output = (ELLIPSIS if left.count(ELLIPSIS) == 1 else "") + "".join(once)
    for label in output.replace(ELLIPSIS, ""):
        if label not in counts:
            raise OpError(f"`{equation}`: the output has `{label}`, which no input has", argument="equation")
        if output.count(label) > 1:
            raise OpError(
                f"`{equation}`: the output has `{label}` more than once",
                argument="equation",
                help="`tf.linalg.diag` puts a vector on a diagonal",
            )
    return terms, output


def _sized(equation: str, terms: list[str], output: str, batch: str, shapes: tuple[Shape, ...]) -> Plan:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, size in zip(term, shape, strict=True):
            known = sizes.setdefault(label, size)
            if label in batch and known == 1:
                sizes[label] = size
            elif known != size and not (label in batch and size == 1):
                axis = "an axis of `...`" if label in batch else f"`{label}`"
                raise OpError(f"`{equation}`: {axis} has size {known} in one place and {size} in another")
    narrowed = [
        "".join(label if sizes[label] == size else " " for label, size in zip(term, shape, strict=True))
        for term, shape in zip(terms, shapes, strict=True)
    ]
    return Plan(tuple(narrowed), output, sizes)


def _einsum_type(equation: Any, *inputs: Tensors, **kwargs: Any) -> Typed:
    operands: Any = inputs  # the annotation says that together they are a list of tensors
    unknown = [name for name in kwargs if name not in ("name", "optimize")]
    if unknown:
        raise OpError(f"`tf.einsum` has no parameter `{unknown[0]}`", argument=unknown[0])
    if not isinstance(equation, str):
        raise OpError(f"`equation` must be text such as 'ij,jk->ik', not {equation!r}", argument="equation")
    found = plan(equation, tuple(each.shape for each in operands))
    return TensorType(found.shape, operands[0].dtype), {"equation": equation.replace(" ", "")}


def _einsum(*arrays: Array, equation: str) -> Array:
    found = plan(equation, tuple(each.shape for each in arrays))
    return contract([_lettered(x, term) for x, term in zip(arrays, found.terms, strict=True)], found)


class Lettered(NamedTuple):
    """An array and a letter for each of its axes."""

    array: Array
    labels: str


def _lettered(x: Array, term: str) -> Lettered:
    """`x` without the axes that are broadcast and with only the diagonal of those that share a letter."""
    labels = term.replace(" ", "")
    if len(labels) != len(term):
        x = x.reshape([size for size, label in zip(x.shape, term, strict=True) if label != " "])
    distinct = "".join(dict.fromkeys(labels))
    return Lettered(x if distinct == labels else np.einsum(f"{labels}->{distinct}", x), distinct)


def contract(operands: list[Lettered], found: Plan) -> Array:
    """The Einstein sum of `operands`, two at a time, in the order that NumPy finds cheapest."""
    if len(operands) > 2:
        order = _order(",".join(each.labels for each in operands) + "->" + found.output, tuple(found.sizes.items()))
    else:
        order = ((0, 1),) * (len(operands) - 1)
    for first, second in order:
        a, b = operands[first], operands[second]
        operands = [each for at, each in enumerate(operands) if at not in (first, second)]
        wanted = {*found.output, *(label for each in operands for label in each.labels)}
        operands.append(_product(a, b, wanted))
    (last,) = operands
    array, labels = _summed(last, set(found.output))
    return array.transpose([labels.index(label) for label in found.output])


@lru_cache(maxsize=1024)
def _order(equation: str, sizes: tuple[tuple[str, int], ...]) -> tuple[tuple[int, int], ...]:
    lengths = dict(sizes)
    terms = equation.partition("->")[0].split(",")
    blanks = [np.broadcast_to(0.0, [max(lengths[label], 1) for label in term]) for term in terms]
    steps = np.einsum_path(equation, *blanks, optimize="greedy")[0][1:]
    pairs: list[tuple[int, int]] = []
    count = len(terms)
    for step in steps:  # the result of each is put at the end; more than two are taken from left to right
        first, second, *rest = sorted(step)
        pairs.append((first, second))
        count -= 1
        for gone, at in enumerate(rest, 2):
            pairs.append((at - gone, count - 1))
            count -= 1
    return tuple(pairs)


def _summed(x: Lettered, wanted: set[str]) -> Lettered:
    """`x` summed over the axes whose letters are not wanted."""
    axes = tuple(axis for axis, label in enumerate(x.labels) if label not in wanted)
    if not axes:
        return x
    kept = "".join(label for label in x.labels if label in wanted)
    return Lettered(np.asarray(np.add.reduce(x.array, axis=axes, dtype=x.array.dtype)), kept)


def _product(a: Lettered, b: Lettered, wanted: set[str]) -> Lettered:
    """The product of two operands, summed over what both have and nobody wants: a product of matrices."""
    a, b = _summed(a, wanted | {*b.labels}), _summed(b, wanted | {*a.labels})
    inner = "".join(label for label in a.labels if label in b.labels and label not in wanted)
    batch = "".join(label for label in a.labels if label in b.labels and label in wanted)
    left = "".join(label for label in a.labels if label not in b.labels)
    right = "".join(label for label in b.labels if label not in a.labels)
    labels = batch + left + right
    if not inner:
        product = _spread(a, batch + left, len(right)) * _spread(b, batch + right, 0, len(batch), len(left))
        return Lettered(np.asarray(product), labels)
    if not left and not right and batch:
        return Lettered(np.einsum(f"{a.labels},{b.labels}->{labels}", a.array, b.array), labels)
    sizes = dict(zip(a.labels + b.labels, a.array.shape + b.array.shape, strict=True))
    rows = _matrices(a, (batch, left, inner), sizes)
    columns = _matrices(b, (batch, inner, right), sizes)
    return Lettered(np.matmul(rows, columns).reshape([sizes[label] for label in labels]), labels)


def _spread(x: Lettered, labels: str, behind: int, at: int = 0, inside: int = 0) -> Array:
    """`x` with its axes in the order of `labels`, and axes of size 1 behind them and from axis `at` on."""
    moved = x.array.transpose([x.labels.index(label) for label in labels])
    return moved.reshape((*moved.shape[:at], *(1,) * inside, *moved.shape[at:], *(1,) * behind))


def _matrices(x: Lettered, groups: tuple[str, str, str], sizes: dict[str, int]) -> Array:
    """`x` as a batch of matrices, whose rows and columns are the second and third group of letters."""
    batch, rows, columns = groups
    moved = x.array.transpose([x.labels.index(label) for label in batch + rows + columns])
    sides = [prod(sizes[label] for label in group) for group in (rows, columns)]
    return moved.reshape([*(sizes[label] for label in batch), *sides])


def _einsum_vjp(g: Tensor, y: Tensor, *inputs: Tensor, equation: str) -> list[Tensor]:
    found = plan(equation, tuple(each.shape for each in inputs))
    factors = [_without_blanks(conj(x), term) for x, term in zip(inputs, found.terms, strict=True)]
    terms = [term.replace(" ", "") for term in found.terms]
    parts = []
    for at, x in enumerate(inputs):
        others = [*terms[:at], *terms[at + 1 :]]
        known = {*found.output, *"".join(others)}
        mine = "".join(label for label in dict.fromkeys(terms[at]) if label in known)
        whole = f"{','.join([found.output, *others])}->{mine}"
        part = g if whole == f"{mine}->{mine}" else tf.einsum(whole, g, *factors[:at], *factors[at + 1 :])
        parts.append(_placed(part, mine, found.terms[at], x.shape))
    return parts


def _without_blanks(x: Tensor, term: str) -> Tensor:
    if " " not in term:
        return x
    narrowed: Tensor = tf.reshape(x, [size for size, label in zip(x.shape, term, strict=True) if label != " "])
    return narrowed


def _placed(part: Tensor, labels: str, term: str, shape: Shape) -> Tensor:
    """The cotangent of an operand, from that of its distinct axes `labels`.

    An axis that is missing was summed, and every element along it receives the same; the walk repeats it. Of axes that
    share a letter only the diagonal was read: the first of them has the size, and a mask puts the rest at 0.
    """
    first = [term.index(label) == axis for axis, label in enumerate(term)]
    sizes = [size if label in labels and new else 1 for label, size, new in zip(term, shape, first, strict=True)]
    if tuple(sizes) != part.shape:
        part = tf.reshape(part, sizes)
    repeated = [axis for axis, label in enumerate(term) if label != " " and not first[axis]]
    if not repeated:
        return part
    positions = np.ogrid[tuple(slice(size) for size in shape)]
    diagonal = np.ones((1,) * len(shape), bool)
    for axis in repeated:
        diagonal = diagonal & (positions[axis] == positions[term.index(term[axis])])
    masked: Tensor = tf.where(diagonal, part, tf.zeros([], part.dtype))
    return masked


def _einsum_batching(call: Call, equation: str) -> Layout | None:
    """The rows get a letter of their own."""
    letter = next((each for each in ascii_letters if each not in equation), None)
    if letter is None:
        return None
    terms, output = _parsed(equation)
    lettered = [letter + term if varied else term for term, varied in zip(terms, call.varied, strict=True)]
    return Layout(
        {"equation": f"{','.join(lettered)}->{letter}{output}"}, tuple(0 if each else None for each in call.varied)
    )


declare(
    "tf.einsum",
    _einsum_type,
    aliases=("tf.linalg.einsum",),
    forward=_einsum,
    joint_vjp=_einsum_vjp,
    rounding=sum_rounding(_einsum, lambda *arrays, **_: max(each.size for each in arrays)),
    narrow_sums=True,
    batching=_einsum_batching,
    domains=(REAL,),
    dtypes=(*FLOATS, *COMPLEXES, INT32, INT64),
    samples=(
        sample("ij,jk->ik", (2, 3), (3, 4)),
        sample("ij,kj->ki", (2, 3), (4, 3)),
        sample("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
        sample("bhqd,bkhd->bhqk", (2, 2, 3, 2), (2, 2, 2, 2)),
        sample("ba", (2, 3)),
        sample("ij,jk", (2, 3), (3, 2)),
        sample("i,j->ij", (2,), (3,)),
        sample("i,i->", (3,), (3,)),
        sample("ij,ij->i", (2, 3), (2, 3)),
        sample("ij,ij->ij", (2, 3), (2, 3)),
        sample("ij->", (2, 3)),
        sample("ijk->j", (2, 3, 2)),
        sample("ij,k->i", (2, 3), (2,)),
        sample("ii->i", (3, 3)),
        sample("ii", (3, 3)),
        sample("iij,jk->ik", (2, 2, 3), (3, 2)),
        sample("iii,j->ij", (2, 2, 2), (2,)),
        sample("ii,j->j", (2, 2), (3,)),
        sample("...ij,...jk->...ik", (3, 1, 2, 2), (2, 2, 3)),
        sample("...i,...i->...", (1, 2), (2, 2)),
        sample("i...,...->...i", (2, 3), (1, 3)),
        sample("...ii->...i", (2, 2, 2)),
        sample("...,...->...", (), (3,)),
        sample("... j -> j ...", (2, 3)),
        sample("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
        sample("i,j,k->ijk", (2,), (3,), (2,)),
        sample("...ij,jk,...kl->...il", (2, 1, 2, 2), (2, 2), (3, 2, 2)),
        sample("i,i,i->", (3,), (3,), (3,)),
        sample(",i->i", (), (3,)),
        sample("->", ()),
        sample("ij,jk->ik", (2, 0), (0, 3)),
        sample("ij,j->i", (0, 2), (2,)),
    ),
    source="each factor receives the cotangent contracted with the conjugates of the others, which is an einsum again",
    convention="axes of `...` are broadcast, those of a letter never; 16-bit products are accumulated in float32 and "
    "rounded once, where TensorFlow accumulates float16 in the dtype: a count stops at 2048",
)


@compose(
    "tf.tensordot",
    aliases=("tf.linalg.tensordot",),
    domains=(REAL, REAL),
    dtypes=(*FLOATS, *COMPLEXES, INT32, INT64),
    samples=(
        sample((2, 3), (3, 2), 1),
        sample((2, 3), (2,), 0),
        sample((2, 3, 2), (3, 2, 2), 2),
        sample((2, 3), (4, 2), [0, 1]),
        sample((2, 3, 4), (4, 2, 3), [[1, -1], [2, 0]]),
        sample((2, 3), (2, 3), [[0, 1], [0, 1]]),
        sample((2, 0), (0, 3), 1),
        sample((), (2,), 0),
    ),
)
def _tensordot(a: Tensor, b: Tensor, axes: Any, name: str | None = None) -> Tensor:
    left, right = _contracted(a, b, axes)
    letters = iter(ascii_letters)
    of_a = [next(letters) for _ in a.shape]
    of_b = [next(letters) for _ in b.shape]
    for mine, other in zip(left, right, strict=True):
        of_b[other] = of_a[mine]
    free = [each for each in of_a if each not in of_b] + [each for each in of_b if each not in of_a]
    product: Tensor = tf.einsum(f"{''.join(of_a)},{''.join(of_b)}->{''.join(free)}", a, b)
    return product


def _contracted(a: Tensor, b: Tensor, axes: Any) -> tuple[list[int], list[int]]:
    """The axes of each that are summed together."""
    if isinstance(axes, (tuple, list)):
        if len(axes) != 2:
            raise OpError(f"`axes` is a number, or the axes of `a` and those of `b`, not {list(axes)}", argument="axes")
        left, right = ([*each] if isinstance(each, (tuple, list)) else [each] for each in axes)
    else:
        count = as_int(axes, "axes")
        if not 0 <= count <= min(a.ndim, b.ndim):
            shapes = f"{list(a.shape)} and {list(b.shape)}"
            raise OpError(f"`axes` {count}: shapes {shapes} do not both have as many", argument="axes")
        left, right = list(range(a.ndim - count, a.ndim)), list(range(count))
    left = [one_axis(each, a.ndim, "axes") for each in left]
    right = [one_axis(each, b.ndim, "axes") for each in right]
    if len(left) != len(right) or len({*left}) != len(left) or len({*right}) != len(right):
        raise OpError(
            f"`axes` pairs the axes {left} of `a` with {right} of `b`; each must be in one pair", argument="axes"
        )
    for mine, other in zip(left, right, strict=True):
        if a.shape[mine] != b.shape[other]:
            raise OpError(
                f"`tf.tensordot` of shapes {list(a.shape)} and {list(b.shape)}: axis {mine} of `a` has size "
                f"{a.shape[mine]}, axis {other} of `b` {b.shape[other]}",
                argument="axes",
            )
    return left, right
