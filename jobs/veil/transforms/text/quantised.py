"""The classifier's matrix products in 8-bit integers: half the time of the 4-bit weights as they are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LARGEST = 127
_SHIPPED = "MatMulNBits"
"""onnxruntime's operator of 4-bit weights in blocks along the inner dimension, each with a scale."""


def quantised(model: Path) -> bytes:
    """Give an ONNX model whose 4-bit products are dynamically quantised ones.

    Weights are quantised by column, activations for each run (ONNX operators DynamicQuantizeLinear and MatMulInteger).
    What is computed of a token so depends on the other tokens of its run: a run must hold one text alone.

    Parameters
    ----------
    model
        An ONNX file with weights of 4 bits (operator MatMulNBits, zero point 8).

    Returns
    -------
    bytes
        The model, serialized.
    """
    import onnx

    loaded = onnx.load(model)
    graph = loaded.graph
    weights = {each.name: each for each in graph.initializer}
    nodes: list[Any] = []
    used: set[str] = set()
    for node in graph.node:
        if node.op_type != _SHIPPED:
            nodes.append(node)
            continue
        used.update(node.input[1:3])
        integers, scales = _by_column(node, *(onnx.numpy_helper.to_array(weights[name]) for name in node.input[1:3]))
        stem = node.output[0]
        graph.initializer.append(onnx.numpy_helper.from_array(integers, f"{stem}/weight"))
        graph.initializer.append(onnx.numpy_helper.from_array(scales, f"{stem}/scale"))
        nodes.extend(_product(node.input[0], stem))
    kept = [each for each in graph.initializer if each.name not in used]
    del graph.node[:]
    del graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
    return bytes(loaded.SerializeToString())


def _by_column(node: Any, packed: Any, scales: Any) -> tuple[Any, Any]:
    """Unpack weights of shape (N, K), two to a byte, and quantise each of the N columns to 8 bits."""
    import numpy as np

    sizes = {attribute.name: attribute.i for attribute in node.attribute}
    inner, outer, block = sizes["K"], sizes["N"], sizes["block_size"]
    halves = np.stack([packed & 15, packed >> 4], axis=-1).reshape(outer, inner // block, block).astype(np.float32)
    weights = ((halves - 8) * scales.reshape(outer, -1, 1)).reshape(outer, inner).T
    by_column = np.maximum(np.abs(weights).max(axis=0), 1e-12) / _LARGEST
    return np.ascontiguousarray(np.rint(weights / by_column).astype(np.int8)), by_column.astype(np.float32)


def _product(activation: str, stem: str) -> Iterator[Any]:
    from onnx import TensorProto, helper

    quantised, scale, zero = (f"{stem}/{name}" for name in ("quantised", "activation_scale", "zero_point"))
    yield helper.make_node("DynamicQuantizeLinear", [activation], [quantised, scale, zero])
    yield helper.make_node("MatMulInteger", [quantised, f"{stem}/weight", zero], [f"{stem}/integer"])
    yield helper.make_node("Cast", [f"{stem}/integer"], [f"{stem}/float"], to=TensorProto.FLOAT)
    yield helper.make_node("Mul", [scale, f"{stem}/scale"], [f"{stem}/scales"])
    yield helper.make_node("Mul", [f"{stem}/float", f"{stem}/scales"], [stem])
