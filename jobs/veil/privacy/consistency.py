"""Makes noisy counts of a tree add up: weighted least squares, exactly, in two passes.

It is post-processing and costs nothing. Each node of a tree (nation, region, site) was measured with noise of its
level; the best linear unbiased estimate under which every parent is the sum of its children is found by going up once
and down once (Hay et al., PVLDB 2010, section 4, for trees of any shape and a variance of each level).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Node = tuple[str, ...]
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Estimate:
    """A consistent value and the half width of its 95 % interval, by the normal distribution that sums tend to."""

    value: float
    half_width: float


def consistent(
    measured: Mapping[Node, int], parents: Mapping[Node, Node], variance: Mapping[Node, float]
) -> dict[Node, Estimate]:
    """Give the estimates of all nodes.

    Parameters
    ----------
    measured
        The noisy count of every node.
    parents
        The parent of every node that has one.
    variance
        The variance of the noise of every node.
    """
    children: dict[Node, list[Node]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    order = _from_roots([node for node in measured if node not in parents], children)
    best: dict[Node, tuple[float, float]] = {}
    for node in reversed(order):
        best[node] = _from_below(node, children.get(node, ()), measured, variance, best)
    final: dict[Node, tuple[float, float]] = {}
    for node in order:
        final.setdefault(node, best[node])
        below = children.get(node, ())
        total = sum(best[child][0] for child in below)
        spread = sum(best[child][1] for child in below)
        for child in below:
            value, own = best[child]
            share = own / spread
            # what a child differs by from its share of the sum is independent of the sum
            final[child] = (
                value + share * (final[node][0] - total),
                own - share * own + share * share * final[node][1],
            )
    return {node: Estimate(value, _Z95 * math.sqrt(spread)) for node, (value, spread) in final.items()}


def _from_roots(roots: list[Node], children: Mapping[Node, list[Node]]) -> list[Node]:
    order, waiting = [], list(roots)
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(children.get(node, ()))
    return order


def _from_below(
    node: Node,
    below: list[Node] | tuple[()],
    measured: Mapping[Node, int],
    variance: Mapping[Node, float],
    best: Mapping[Node, tuple[float, float]],
) -> tuple[float, float]:
    """Weigh a node's own measurement against the sum of its children's best estimates."""
    if not below:
        return float(measured[node]), variance[node]
    total = sum(best[child][0] for child in below)
    spread = sum(best[child][1] for child in below)
    joint = 1 / (1 / variance[node] + 1 / spread)
    return joint * (measured[node] / variance[node] + total / spread), joint
