"""`tf.linalg.LinearOperator…` in an expression: matrices that are never written out where they have a shorter form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gradcheck.dtypes import COMPLEX64, FLOAT32, DType
from gradcheck.language.objects import Method
from gradcheck.language.static import StaticError, StaticShape
from gradcheck.language.structures import as_tensor
from gradcheck.ops.vocabulary import tf
from gradcheck.tensors import Tensor

Apply = Callable[[Tensor, bool], Tensor]
"""What becomes of a matrix on the right; where the second argument holds, by the adjoint of the operator."""
HINTS = ("is_non_singular", "is_self_adjoint", "is_positive_definite", "is_square")


@dataclass(frozen=True)
class LinearOperator:
    """A matrix, or a batch of them, by what it does; what is not given is done with the matrix itself."""

    dense: Callable[[], Tensor]
    product: Apply | None = None
    solution: Apply | None = None
    hints: Mapping[str, bool | None] = field(default_factory=dict)
    kind = "a linear operator"

    def matmul(self, x: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        given = _matrix(x, adjoint_arg)
        made: Tensor
        if self.product is not None:
            made = self.product(given, adjoint)
        else:
            made = tf.linalg.matmul(self.dense(), given, adjoint_a=adjoint)
        return made

    def solve(self, rhs: Any, adjoint: bool = False, adjoint_arg: bool = False) -> Tensor:
        given = _matrix(rhs, adjoint_arg)
        made: Tensor
        if self.solution is not None:
            made = self.solution(given, adjoint)
        else:
            made = tf.linalg.solve(self.dense(), given, adjoint=adjoint)
        return made

    def matvec(self, x: Any, adjoint: bool = False) -> Tensor:
        made: Tensor = tf.squeeze(self.matmul(tf.expand_dims(as_tensor(x), -1), adjoint), -1)
        return made

    def solvevec(self, rhs: Any, adjoint: bool = False) -> Tensor:
        made: Tensor = tf.squeeze(self.solve(tf.expand_dims(as_tensor(rhs), -1), adjoint), -1)
        return made

    def adjoint(self) -> "LinearOperator":
        """The operator whose products are those of the adjoint."""
        return LinearOperator(
            lambda: tf.linalg.adjoint(self.dense()),
            lambda x, adjoint: self.matmul(x, not adjoint),
            lambda x, adjoint: self.solve(x, not adjoint),
            self.hints,
        )

    def inverse(self) -> "LinearOperator":
        """The operator whose products are what this one solves."""
        return LinearOperator(lambda: tf.linalg.inv(self.dense()), self.solve, self.matmul, self.hints)

    @property
    def members(self) -> Mapping[str, Any]:
        methods: dict[str, Callable[..., Any]] = {
            "add_to_tensor": lambda x: self.dense() + x,
            "adjoint": self.adjoint,
            "cholesky": lambda: _lower_triangular(tf.linalg.cholesky(self.dense())),
            "determinant": lambda: tf.linalg.det(self.dense()),
            "diag_part": lambda: tf.linalg.diag_part(self.dense()),
            "eigvals": lambda: (tf.linalg.eigvalsh if self.hints.get("is_self_adjoint") else tf.linalg.eigvals)(
                self.dense()
            ),
            "inverse": self.inverse,
            "log_abs_determinant": lambda: tf.linalg.slogdet(self.dense())[1],
            "matmul": self.matmul,
            "matvec": self.matvec,
            "solve": self.solve,
            "solvevec": self.solvevec,
            "to_dense": self.dense,
            "trace": lambda: tf.linalg.trace(self.dense()),
        }
        named: dict[str, Any] = {name: Method(name, run, raw=False) for name, run in methods.items()}
        named |= {hint: self.hints.get(hint) for hint in HINTS}
        named |= {"shape": StaticShape(self.dense().shape), "dtype": self.dense().dtype}
        return named


def _matrix(x: Any, adjoint: bool) -> Tensor:
    given = as_tensor(x)
    turned: Tensor = tf.linalg.adjoint(given) if adjoint else given
    return turned


def _column(x: Tensor) -> Tensor:
    column: Tensor = tf.expand_dims(x, -1)
    return column


def _turned(x: Tensor, adjoint: bool) -> Tensor:
    """The entries of a diagonal as they are in the operator, or in its adjoint."""
    entries: Tensor = tf.math.conj(x) if adjoint else x
    return entries


def _diag(diag: Any) -> LinearOperator:
    entries = as_tensor(diag)
    return LinearOperator(
        lambda: tf.linalg.diag(entries),
        lambda x, adjoint: _column(_turned(entries, adjoint)) * x,
        lambda x, adjoint: x / _column(_turned(entries, adjoint)),
    )


def _full(matrix: Any) -> LinearOperator:
    given = as_tensor(matrix)
    return LinearOperator(lambda: given)


def _lower_triangular(tril: Any) -> LinearOperator:
    lower: Tensor = tf.linalg.band_part(as_tensor(tril), -1, 0)
    return LinearOperator(
        lambda: lower, None, lambda x, adjoint: tf.linalg.triangular_solve(lower, x, lower=True, adjoint=adjoint)
    )


def _identity(num_rows: int, batch_shape: Any = None, dtype: DType | None = None) -> LinearOperator:
    return LinearOperator(
        lambda: tf.eye(num_rows, batch_shape=batch_shape, dtype=dtype or FLOAT32), lambda x, _: x, lambda x, _: x
    )


def _scaled_identity(num_rows: int, multiplier: Any) -> LinearOperator:
    scale = as_tensor(multiplier)

    def wide(adjoint: bool) -> Tensor:
        return _column(_column(_turned(scale, adjoint)))

    return LinearOperator(
        lambda: wide(False) * tf.eye(num_rows, dtype=scale.dtype),
        lambda x, adjoint: x * wide(adjoint),
        lambda x, adjoint: x / wide(adjoint),
    )


def _zeros(
    num_rows: int, num_columns: int | None = None, batch_shape: Any = None, dtype: DType | None = None
) -> LinearOperator:
    shape = [*(batch_shape or ()), num_rows, num_rows if num_columns is None else num_columns]
    return LinearOperator(lambda: tf.zeros(shape, dtype or FLOAT32))


def _permutation(perm: Any, dtype: DType = FLOAT32) -> LinearOperator:
    places = as_tensor(perm)

    def moved(x: Tensor, adjoint: bool) -> Tensor:
        rows: Tensor = tf.gather(x, tf.argsort(places) if adjoint else places, axis=-2)
        return rows

    count = places.shape[-1]
    return LinearOperator(
        lambda: moved(tf.eye(count, dtype=dtype), False), moved, lambda x, adjoint: moved(x, not adjoint)
    )


def _householder(reflection_axis: Any) -> LinearOperator:
    """I - 2 v v* / (v* v), which is its own inverse."""
    axis = as_tensor(reflection_axis)

    def reflected(x: Tensor, _: bool) -> Tensor:
        unit = _column(tf.math.l2_normalize(axis, axis=-1))
        mirrored: Tensor = x - 2 * unit * tf.linalg.matmul(unit, x, adjoint_a=True)
        return mirrored

    return LinearOperator(lambda: reflected(tf.eye(axis.shape[-1], dtype=axis.dtype), False), reflected, reflected)


def _circulant(spectrum: Any, input_output_dtype: DType = COMPLEX64) -> LinearOperator:
    """Diagonal, with the spectrum as its diagonal, between a Fourier transform and its inverse."""
    given = as_tensor(spectrum)
    dtype = COMPLEX64 if given.dtype.itemsize * (1 if given.dtype.kind == "c" else 2) <= 8 else None
    entries: Tensor = given if given.dtype.kind == "c" else tf.cast(given, dtype or "complex128")

    def through(x: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        columns = tf.linalg.matrix_transpose(tf.cast(x, entries.dtype))
        changed = tf.signal.ifft(change(tf.signal.fft(columns)))
        back: Tensor = tf.cast(tf.linalg.matrix_transpose(changed), input_output_dtype)
        return back

    def product(x: Tensor, adjoint: bool) -> Tensor:
        return through(x, lambda rows: rows * tf.expand_dims(_turned(entries, adjoint), -2))

    def solution(x: Tensor, adjoint: bool) -> Tensor:
        return through(x, lambda rows: rows / tf.expand_dims(_turned(entries, adjoint), -2))

    return LinearOperator(
        lambda: product(tf.eye(entries.shape[-1], dtype=input_output_dtype), False), product, solution
    )


def _toeplitz(col: Any, row: Any) -> LinearOperator:
    """Constant along its diagonals: what is in row i and column j depends on i - j."""
    column, first_row = as_tensor(col), as_tensor(row)
    size = column.shape[-1]
    places = [[size - 1 + i - j for j in range(size)] for i in range(size)]
    entries = tf.concat([tf.reverse(first_row[..., 1:], [-1]), column], -1)
    return LinearOperator(lambda: tf.gather(entries, places, axis=-1))


def _tridiag(diagonals: Any, diagonals_format: str = "compact") -> LinearOperator:
    """Of the three diagonals the upper one lacks its last entry and the lower one its first, as TensorFlow has them."""
    sequence = diagonals_format == "sequence"
    given = [as_tensor(each) for each in diagonals] if sequence else as_tensor(diagonals)

    def dense() -> Tensor:
        if diagonals_format == "matrix":
            return as_tensor(given)
        rows = tf.stack(given, axis=-2) if sequence else given
        banded: Tensor = tf.linalg.diag(rows, k=(-1, 1), align="LEFT_RIGHT")
        return banded

    def product(x: Tensor, adjoint: bool) -> Tensor:
        made: Tensor
        if adjoint:
            made = tf.linalg.matmul(dense(), x, adjoint_a=True)
        else:
            made = tf.linalg.tridiagonal_matmul(given, x, diagonals_format=diagonals_format)
        return made

    def solution(x: Tensor, adjoint: bool) -> Tensor:
        solved: Tensor
        if adjoint:
            solved = tf.linalg.solve(dense(), x, adjoint=True)
        else:
            solved = tf.linalg.tridiagonal_solve(given, x, diagonals_format=diagonals_format)
        return solved

    return LinearOperator(dense, product, solution)


def _low_rank_update(
    base_operator: LinearOperator,
    u: Any,
    diag_update: Any = None,
    v: Any = None,
    is_diag_update_positive: bool | None = None,
) -> LinearOperator:
    left = as_tensor(u)
    right = left if v is None else as_tensor(v)
    scaled: Tensor = left if diag_update is None else left * tf.expand_dims(as_tensor(diag_update), -2)
    return LinearOperator(lambda: base_operator.dense() + tf.linalg.matmul(scaled, right, adjoint_b=True))


def _composition(operators: Sequence[LinearOperator]) -> LinearOperator:
    def dense() -> Tensor:
        made = operators[-1].dense()
        for each in operators[-2::-1]:
            made = each.matmul(made)
        return made

    def product(x: Tensor, adjoint: bool) -> Tensor:
        for each in operators if adjoint else operators[::-1]:
            x = each.matmul(x, adjoint)
        return x

    def solution(x: Tensor, adjoint: bool) -> Tensor:
        for each in operators[::-1] if adjoint else operators:
            x = each.solve(x, adjoint)
        return x

    return LinearOperator(dense, product, solution)


def _kronecker(operators: Sequence[LinearOperator]) -> LinearOperator:
    def dense() -> Tensor:
        made = operators[0].dense()
        for each in operators[1:]:
            other = each.dense()
            rows, columns = made.shape[-2] * other.shape[-2], made.shape[-1] * other.shape[-1]
            spread = made[..., :, None, :, None] * other[..., None, :, None, :]
            made = tf.reshape(spread, [*spread.shape[:-4], rows, columns])
        return made

    return LinearOperator(dense)


def _block_lower_triangular(operators: Sequence[Sequence[LinearOperator]]) -> LinearOperator:
    def dense() -> Tensor:
        blocks = [[each.dense() for each in row] for row in operators]
        widths = [row[-1].shape[-1] for row in blocks]
        rows = []
        for row in blocks:
            *batch, height, _ = row[0].shape
            right = [tf.zeros([*batch, height, width], row[0].dtype) for width in widths[len(row) :]]
            rows.append(tf.concat([*row, *right], -1))
        made: Tensor = tf.concat(rows, -2)
        return made

    return LinearOperator(dense)


def _block_diag(operators: Sequence[LinearOperator]) -> LinearOperator:
    sizes = [each.dense().shape[-1] for each in operators]

    def each_with(method: str) -> Apply:
        def apply(x: Tensor, adjoint: bool) -> Tensor:
            parts = zip(operators, tf.split(x, sizes, axis=-2), strict=True)
            joined: Tensor = tf.concat([getattr(each, method)(part, adjoint) for each, part in parts], -2)
            return joined

        return apply

    total = sum(sizes)
    product = each_with("matmul")
    return LinearOperator(
        lambda: product(tf.eye(total, dtype=operators[0].dense().dtype), False), product, each_with("solve")
    )


_CONSTRUCTORS: dict[str, Callable[..., LinearOperator]] = {
    "Adjoint": lambda operator: operator.adjoint(),
    "BlockDiag": _block_diag,
    "BlockLowerTriangular": _block_lower_triangular,
    "Circulant": _circulant,
    "Composition": _composition,
    "Diag": _diag,
    "FullMatrix": _full,
    "Householder": _householder,
    "Identity": _identity,
    "Inversion": lambda operator: operator.inverse(),
    "Kronecker": _kronecker,
    "LowRankUpdate": _low_rank_update,
    "LowerTriangular": _lower_triangular,
    "Permutation": _permutation,
    "ScaledIdentity": _scaled_identity,
    "Toeplitz": _toeplitz,
    "Tridiag": _tridiag,
    "Zeros": _zeros,
}


def _made(make: Callable[..., LinearOperator]) -> Callable[..., LinearOperator]:
    def made(*arguments: Any, **keywords: Any) -> LinearOperator:
        hints = {hint: keywords.pop(hint, None) for hint in HINTS}
        keywords.pop("name", None)
        try:
            return replace(make(*arguments, **keywords), hints=hints)
        except (AttributeError, TypeError) as error:  # what is not a tensor or an operator, or one too many
            raise StaticError(f"a linear operator is not made like this: {error}") from None

    return made


CONSTRUCTORS = {
    f"tf.linalg.LinearOperator{name}": Method(f"tf.linalg.LinearOperator{name}", _made(make), raw=False)
    for name, make in _CONSTRUCTORS.items()
}
