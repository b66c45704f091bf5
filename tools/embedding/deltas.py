"""What a small transformer learnt, as differences to the published weights that it began with.

Differences are small beside the weights, so four bits are enough for one of a matrix, with a scale for each row; the
rest is float16. That is a quarter of the model's own 8-bit size.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.arrays import Arrays

Tensors = dict[str, NDArray[np.float32]]
PACKED = ("matrices", "scales", "others")
POSITIONS = "embeddings.position_embeddings.weight"
# The longest pair that is read, in tokens: positions beyond it learn nothing.
MOST_TOKENS = 128
_MOST = 7
_HEAD = ("head.weight", "head.bias")
# As many as the published model knows: they stay as they are.
_KEPT = ("embeddings.word_embeddings.weight", "embeddings.position_ids")


def pack(base: Mapping[str, NDArray[np.float32]], learnt: Mapping[str, NDArray[np.float32]]) -> Arrays:
    """`learnt` (the tensors of `base`, and those of a head if it has one) as arrays named as in PACKED."""
    matrices, scales, others = [], [], []
    for name in _trained(base):
        change = _cut(name, learnt[name]) - _cut(name, base[name])
        if _is_matrix(name, change):
            scale = (np.abs(change).max(axis=1, keepdims=True) / _MOST).astype(np.float16)
            steps = np.rint(change / np.maximum(scale.astype(np.float32), np.finfo(np.float32).tiny))
            steps = (np.clip(steps, -_MOST, _MOST) + _MOST).astype(np.uint8).ravel()
            matrices.append(steps[::2] << 4 | steps[1::2])
            scales.append(scale.ravel())
        else:
            others.append(change.astype(np.float16).ravel())
    others += [learnt[name].astype(np.float16).ravel() for name in _HEAD if name in learnt]
    return {
        "matrices": np.concatenate(matrices),
        "scales": np.concatenate(scales),
        "others": np.concatenate(others),
    }


def unpack(base: Mapping[str, NDArray[np.float32]], packed: Arrays) -> Tensors | None:
    """The tensors that `pack` was given, nearly; None when the arrays belong to other tensors."""
    tensors = {name: np.array(value) for name, value in base.items()}
    left = {name: packed[name] for name in PACKED}

    def take(name: str, count: int) -> NDArray[Any]:
        taken, left[name] = left[name][:count], left[name][count:]
        if len(taken) < count:
            raise ValueError(name)
        return taken

    try:
        for name in _trained(base):
            part = _cut(name, tensors[name])
            if _is_matrix(name, part):
                pairs = take("matrices", part.size // 2)
                steps = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(part.shape).astype(np.float32) - _MOST
                part += steps * take("scales", len(part)).astype(np.float32)[:, None]
            else:
                part += take("others", part.size).astype(np.float32).reshape(part.shape)
        if len(left["others"]):
            width = 2 * tensors[POSITIONS].shape[1]
            tensors["head.weight"] = take("others", width).astype(np.float32).reshape(1, width)
            tensors["head.bias"] = take("others", 1).astype(np.float32)
    except (ValueError, KeyError):
        return None
    return None if any(map(len, left.values())) else tensors


def _trained(base: Mapping[str, NDArray[np.float32]]) -> list[str]:
    return sorted(name for name in base if name not in _KEPT and not name.startswith("pooler."))


def _cut(name: str, value: NDArray[np.float32]) -> NDArray[np.float32]:
    return value[:MOST_TOKENS] if name == POSITIONS else value


def _is_matrix(name: str, value: NDArray[np.float32]) -> bool:
    return name.startswith("encoder.") and value.ndim == 2
