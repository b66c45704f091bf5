"""What the ears have learnt, shipped: classifiers by the model of their vectors ("" for words alone) and by name."""

import hashlib
from collections.abc import Mapping
from importlib.resources import as_file, files

import numpy as np

from tools.arrays import Arrays, read_arrays
from tools.engines.local.ears.classify import FORMAT, Classifier
from tools.engines.local.ears.messages import digest_of_examples

Shipped = Mapping[str, Mapping[str, Classifier]]

SHIPPED = files("tools.engines.local") / "data" / "ears.npz"
_MOST = 127


def shipped_ears() -> Shipped:
    """Read them; none when they were taught with other examples than there are now, or can't be read.

    Raises:
        Misconfigured: the examples are damaged.
    """
    key = key_of_examples()
    with as_file(SHIPPED) as path:
        index = read_arrays(path, ("key", "classifiers"))
        if index is None or str(index["key"]) != key:
            return {}
        names = [str(name) for name in index["classifiers"]]
        stored = read_arrays(path, [part for name in names for part in _parts(name)])
    if stored is None:
        return {}
    found: dict[str, dict[str, Classifier]] = {}
    for name in names:
        embedder, _, what = name.rpartition("/")
        labels, weights, scale, intercept = (stored[part] for part in _parts(name))
        found.setdefault(embedder, {})[what] = Classifier(
            tuple(str(label) for label in labels), weights.astype(np.float32) * scale, intercept
        )
    return found


def key_of_examples() -> str:
    """What the examples are known by.

    Raises:
        Misconfigured: the installation is damaged.
    """
    return hashlib.sha256(f"{FORMAT}\x1e{digest_of_examples()}".encode()).hexdigest()[:24]


def packed(ears: Shipped, key: str) -> Arrays:
    """What to write for them: eight bits for a weight, and a scale for each label."""
    arrays: Arrays = {"key": np.array(key)}
    names = [f"{embedder}/{what}" for embedder, classifiers in ears.items() for what in classifiers]
    arrays["classifiers"] = np.array(names, dtype=np.str_)
    for name in names:
        embedder, _, what = name.rpartition("/")
        classifier = ears[embedder][what]
        scale = np.maximum(np.abs(classifier.weights).max(axis=0) / _MOST, np.finfo(np.float32).tiny)
        small = np.rint(classifier.weights / scale).astype(np.int8)
        labels = np.array(classifier.labels, dtype=np.str_)
        arrays |= dict(zip(_parts(name), (labels, small, scale.astype(np.float32), classifier.intercept), strict=True))
    return arrays


def _parts(name: str) -> tuple[str, str, str, str]:
    return f"{name}/labels", f"{name}/weights", f"{name}/scale", f"{name}/intercept"
