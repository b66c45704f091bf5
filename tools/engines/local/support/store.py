"""Where the learnt comparison of sentences comes from: shipped, kept from an earlier start, or learnt now."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tools.arrays import Arrays, read_arrays, write_arrays
from tools.engines.local.support import diction, trees
from tools.engines.local.support.diction import Diction
from tools.engines.local.support.entailing import Entailing, Entails
from tools.engines.local.support.examples import Example, digest_of_support_examples, load_support_examples
from tools.engines.local.support.learning import learn
from tools.engines.local.support.model import SupportModel
from tools.engines.local.support.reader import Reader, pair_number
from tools.engines.local.support.trees import Trees

logger = logging.getLogger(__name__)

# Part of the key: goes up when comparing or learning change what is learnt from the same examples.
_FORMAT = 4
_DATA = files("tools.engines.local") / "data"
_SHIPPED, _SHIPPED_READ = _DATA / "support.npz", _DATA / "support_read.npz"
_NAMES = ("key", "names", "border", *trees.array_names(), *diction.array_names())
_EVERY = 200
_WRITTEN_EVERY = 250


class Reading:
    """What an entailment model says of many pairs, written down now and then: a restart goes on where it was."""

    def __init__(self, entails: Entails, path: Path) -> None:
        self._entails, self._path = entails, path
        stored = read_arrays(path, ("pairs", "values"))
        self._known: dict[int, float] = {}
        if stored is not None and stored["pairs"].shape == stored["values"].shape:
            self._known.update(zip(stored["pairs"].tolist(), stored["values"].tolist(), strict=True))
        self._unwritten = 0

    def __call__(self, source: str, said: str) -> float:
        """The log-odds that `source` entails `said`."""
        pair = pair_number(source, said)
        if pair not in self._known:
            self._known[pair] = self._entails(source, said)
            self._unwritten += 1
            if self._unwritten == _WRITTEN_EVERY:
                self._write()
        return self._known[pair]

    def forget(self) -> None:
        """Delete what was written: what was learnt from it is kept."""
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        pairs = np.array(list(self._known), dtype=np.uint64)
        write_arrays(self._path, {"pairs": pairs, "values": np.array(list(self._known.values()))})
        self._unwritten = 0


def open_support(cache_dir: Path, entailment: Entailing | None = None) -> SupportModel:
    """Read what was learnt from the shipped pairs; learn it now if they, or the entailment model, are others.

    Blocks: learning takes minutes, and with an entailment model as long as that takes to read every pair. A process
    that is stopped meanwhile goes on with the next start.

    Raises:
        Misconfigured: the installation is damaged.
    """
    without = _shipped(_SHIPPED, shipped_key()) or kept(cache_dir, shipped_key())
    if entailment is None:
        return without
    key = shipped_key(entailment)
    known = _shipped(_SHIPPED_READ, key) or kept(cache_dir, key, entailment=entailment)
    return replace(known, entailment=entailment, without=without)


def kept(
    cache_dir: Path, key: str, *, examples: Sequence[Example] | None = None, entailment: Entailing | None = None
) -> SupportModel:
    """Read back what was learnt under `key`, or learn it (from the shipped examples if no others are given); blocks."""
    path = cache_dir / f"support-{key}.npz"
    known = _read(path, key)
    if known is None:
        logger.info("learning which sentences a source says; this takes some minutes and is kept")
        reading = None if entailment is None else Reading(entailment.of_example, cache_dir / f"entailed-{key}.npz")
        known = learn(load_support_examples() if examples is None else examples, reading)
        write_arrays(path, _arrays(known, key), packed=True)
        if reading is not None and path.exists():
            reading.forget()
    return replace(known, entailment=entailment)


def shipped_key(entailment: Entailing | None = None) -> str:
    """What the shipped examples are known by, together with the entailment model that has read them.

    Raises:
        Misconfigured: the installation is damaged.
    """
    said = f"{_FORMAT}\x1e{digest_of_support_examples()}\x1e{entailment.name if entailment else ''}"
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def probe(model: SupportModel) -> list[float]:
    """What a model makes of some of the shipped examples: other numbers mean that the code compares otherwise."""
    return [model(each.sentence, each.passage) for each in load_support_examples()[::_EVERY]]


def shipped_probe(*, read: bool = False) -> list[float]:
    """What the shipped model, with the reader or without, made of them when it was learnt; nothing when it's gone."""
    with as_file(_SHIPPED_READ if read else _SHIPPED) as path:
        stored = read_arrays(path, ("probe",))
    return [] if stored is None else [float(each) for each in stored["probe"]]


def ship(path: Path, entailment: Entailing | None = None) -> None:
    """Learn from the shipped examples and write what is to be shipped with them."""
    model = learn(load_support_examples(), None if entailment is None else entailment.of_example)
    arrays = _arrays(model, shipped_key(entailment))
    made_of = np.array(probe(replace(model, entailment=entailment)))
    write_arrays(path, {**arrays, "probe": made_of}, packed=True)


def _shipped(stored: Traversable, key: str) -> SupportModel | None:
    with as_file(stored) as path:
        return _read(path, key)


def _arrays(model: SupportModel, key: str) -> Arrays:
    return {
        "key": np.array(key),
        "names": np.array(model.names, dtype=np.str_),
        "border": np.array([model.temperature, model.caution]),
        **model.trees.to_arrays(),
        **model.diction.to_arrays(),
    }


def _read(path: Path, key: str) -> SupportModel | None:
    stored = read_arrays(path, _NAMES)
    if stored is None or stored["key"].shape != () or str(stored["key"]) != key or stored["border"].shape != (2,):
        return None
    grown, said = Trees.from_arrays(stored), Diction.from_arrays(stored)
    if grown is None or said is None:
        return None
    names = tuple(str(name) for name in stored["names"])
    temperature, caution = (float(each) for each in stored["border"])
    return SupportModel(names, grown, said, temperature, caution)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    ship(Path(str(_SHIPPED)))
    with TemporaryDirectory() as folder:
        reader = Reader.open(Path(folder))
        if reader is None:
            raise SystemExit("the shipped reader isn't there: make install, make reader")
        ship(Path(str(_SHIPPED_READ)), reader)
