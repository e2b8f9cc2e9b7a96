"""Activations, softmax and the losses of `tf.nn`."""

from __future__ import annotations
