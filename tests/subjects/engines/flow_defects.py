"""`flow` with walks that take the values as they come."""

from collections import deque
from dataclasses import replace

import numpy as np
from flow import Value, binary, unbroadcast
from flow_adapter import engine


def gradients(target, sources, cotangent):
    grads = {target: np.ones_like(target.array) if cotangent is None else cotangent.array}
    queue, visited = deque([target]), set()
    while queue:
        value = queue.popleft()
        if value in visited or value.rule is None:
            continue
        visited.add(value)
        for parent, part in zip(value.parents, value.rule(grads[value]), strict=True):
            part = unbroadcast(part, parent.array.shape)
            grads[parent] = grads[parent] + part if parent in grads else part
            queue.append(parent)
    return [grads.get(source) for source in sources]


class FullTranspose(Value):
    def __matmul__(self, other):
        out = binary(np.matmul, self, other, lambda g, a, b: (g @ b.T, a.T @ g))
        return FullTranspose(out.array, out.parents, out.rule)


breadth_first = replace(engine, gradients=gradients)
as_found = replace(engine, variable=FullTranspose, gradients=gradients)
