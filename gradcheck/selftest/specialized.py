"""Faults of special functions, decompositions, segments, images and signals."""

from gradcheck.ops import tf
from gradcheck.selftest.changes import (
    cotangent_alone,
    instead,
    negated,
    scaled,
    without_cotangent,
)
from gradcheck.selftest.faults import Fault

GAMMA = (
    Fault("is doubled", "tf.math.lgamma", 0, "factor", scaled(2)),
    Fault("lacks the cotangent", "tf.math.digamma", 0, "missing-chain", without_cotangent),
    Fault("lacks the sign", "tf.math.special.bessel_j0", 0, "sign", negated),
    Fault("has the factor of erf", "tf.math.erfinv", 0, "factor", scaled(2)),
)

DECOMPOSITIONS = (
    Fault("is not halved", "tf.linalg.eigh", 0, "factor", scaled(2)),
    Fault("lacks the sign", "tf.linalg.pinv", 0, "sign", negated),
    Fault("lacks the sign", "tf.linalg.expm", 0, "sign", negated),
    Fault("is doubled", "tf.linalg.sqrtm", 0, "factor", scaled(2)),
)

SEGMENTS = (
    Fault("gives to one row alone", "tf.math.unsorted_segment_max", 0, "factor", scaled(0.5)),
    Fault("is not turned back", "tf.reverse_sequence", 0, "missing-derivative", cotangent_alone),
)

SIGNALS = (
    Fault("is not multiplied by the length", "tf.signal.fft", 0, "factor", instead(lambda g, y, x: tf.signal.ifft(g))),
    Fault("is multiplied by the length", "tf.signal.ifft", 0, "factor", instead(lambda g, y, x: tf.signal.fft(g))),
    Fault("lacks the factor 2", "tf.signal.dct", 0, "factor", scaled(0.5)),
    Fault("lacks the sign", "tf.signal.frame", 0, "sign", negated),
)

IMAGES = (
    Fault("lacks the sign", "tf.image.extract_patches", 0, "sign", negated),
    Fault("is doubled", "tf.image.rgb_to_hsv", 0, "factor", scaled(2)),
)

QUANTIZATION = (
    Fault(
        "lets everything through",
        "tf.quantization.fake_quant_with_min_max_args",
        0,
        "missing-derivative",
        cotangent_alone,
    ),
)
