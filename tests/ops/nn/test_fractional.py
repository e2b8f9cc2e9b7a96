"""The cells of fractional poolings, on shapes, ratios and seeds of all kinds."""

import numpy as np
import pytest
import tensorflow

from gradcheck.ops import tf
from gradcheck.ops.random.seeds import GLOBAL_SEED


@pytest.mark.parametrize("name", ["fractional_max_pool", "fractional_avg_pool"])
@pytest.mark.parametrize("draw", range(12))
def test_cells_and_what_is_in_them_are_tensorflow_s(name: str, draw: int) -> None:
    rng = np.random.default_rng(draw)
    height, width = (int(each) for each in rng.integers(1, 30, 2))
    ratio = [1.0, float(rng.uniform(1, min(height, 5))), float(rng.integers(1, min(width, 4) + 1)), 1.0]
    image = rng.normal(size=(2, height, width, 2))
    arguments = (ratio, bool(draw % 2), bool(draw // 2 % 2), int(rng.integers(1, 2**31)))
    tensorflow.random.set_seed(GLOBAL_SEED)
    theirs = getattr(tensorflow.nn, name)(image, *arguments)
    ours = getattr(tf.nn, name)(image, *arguments)
    np.testing.assert_allclose(ours[0].numpy(), theirs[0].numpy(), rtol=1e-14, atol=1e-15, strict=True)
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_array_equal(mine.numpy(), other.numpy(), strict=True)
