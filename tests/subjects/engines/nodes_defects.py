"""`nodes` with the mistakes that people make, one at a time."""

from dataclasses import replace

import nodes
from nodes_adapter import engine


def last(y, xs):
    return nodes.gradients(y, xs, total=lambda parts: parts[-1])


def none_for_placeholders(y, xs):
    return [each if x.compute else None for x, each in zip(xs, nodes.gradients(y, xs), strict=True)]


last_contribution = replace(engine, gradients=last)
no_placeholders = replace(engine, gradients=none_for_placeholders)
