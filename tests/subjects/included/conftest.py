"""The tests of an engine are collected where its library is installed."""

from importlib.util import find_spec

LIBRARIES = ("torch", "jax", "autograd", "mygrad", "tinygrad")

collect_ignore = [f"test_{name}.py" for name in LIBRARIES if find_spec(name) is None]
