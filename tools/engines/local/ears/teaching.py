"""Teaching the ears: `make ears`, after the examples or messages have changed (minutes)."""

import argparse
import asyncio
import hashlib
import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from agent.errors import Misconfigured
from tools.arrays import write_arrays
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.sentences import sentence_encoder
from tools.embedding.weights import find_weights
from tools.engines.local.ears.classify import Classifier, train, train_on_many
from tools.engines.local.ears.examples import by_language, load_examples, training_sets
from tools.engines.local.ears.features import Featurizer
from tools.engines.local.ears.messages import labels_of, load_messages
from tools.engines.local.ears.store import SHIPPED, key_of_examples, packed
from tools.engines.local.ears.training import with_beside
from tools.engines.local.gloss import Glossary
from tools.engines.local.tongue import LANGUAGE, learn_languages

logger = logging.getLogger(__name__)

_FOLDS = 4
# What was written by hand stands for many: the hard pairs are there.
_BY_HAND = 6.0


@dataclass(frozen=True, slots=True)
class _Texts:
    """Every text in English, with the same as it was written, and each set's examples: place, label and fold."""

    gists: Sequence[str]
    written: Sequence[str]
    sets: dict[str, list[tuple[int, str, int]]]


def _texts() -> _Texts:
    """A product's messages are in one fold; what was written by hand is always trained on."""
    glossary = Glossary.load()
    written: dict[str, str] = {}

    def in_english(text: str, language: str) -> str:
        gist = glossary.gloss(text, language)
        written.setdefault(gist, text)
        return gist

    by_hand = training_sets(load_examples(), in_english)
    messages = [(in_english(each.text, each.language), each) for each in load_messages()]
    place = {gist: number for number, gist in enumerate(written)}
    sets = {
        name: [(place[text], label, -1) for label, group in examples.items() for text in group]
        for name, examples in by_hand.items()
    }
    for gist, each in messages:
        fold = int(hashlib.sha256(each.product.encode()).hexdigest(), 16) % _FOLDS
        for name, label in labels_of(each).items():
            sets[name].append((place[gist], label, fold))
    return _Texts(list(written), list(written.values()), sets)


def _train(job: tuple[csr_matrix, Sequence[tuple[int, str, int]], Sequence[str]]) -> Classifier:
    rows, examples, gists = job
    places, labels, folds = zip(*examples, strict=True)
    if max(folds) < 0:  # There are no messages of its kind.
        return train(rows[list(places)], labels, [gists[place] for place in places])
    weights = np.where(np.array(folds) < 0, _BY_HAND, 1.0)
    return train_on_many(rows[list(places)], labels, np.array(folds), weights)


async def main(cache_dir: Path) -> None:
    """Teach them and write what is shipped.

    Raises:
        Misconfigured: the embedding model isn't installed, or the examples are damaged.
    """
    weights = find_weights()
    if weights is None:
        raise Misconfigured("the weights package is missing: make install")
    texts = _texts()
    embedder = MiniLmEmbedder.open(weights, cache_dir)
    logger.info("embedding the examples rows=%d", len(texts.gists))
    vectors = await embedder.embed(texts.gists)
    beside = await sentence_encoder().embed(texts.written)
    meanings: dict[str, NDArray[np.float32] | None] = {
        "": None,
        embedder.name: vectors,
        with_beside(embedder.name): np.hstack([vectors, beside]),
    }
    featurize = Featurizer()
    rows = {name: featurize(texts.gists, meaning) for name, meaning in meanings.items()}
    jobs = {
        (name, what): (rows[name], examples, texts.gists) for name in meanings for what, examples in texts.sets.items()
    }
    ears: dict[str, dict[str, Classifier]] = {}
    with ProcessPoolExecutor(initializer=threadpool_limits, initargs=(1,)) as pool:
        for ((name, what), job), classifier in zip(jobs.items(), pool.map(_train, jobs.values()), strict=True):
            logger.info("taught the ears name=%s rows=%d", f"{name}/{what}", len(job[1]))
            ears.setdefault(name, {})[what] = classifier
    ears[""][LANGUAGE] = learn_languages(by_language(load_examples()), featurize, cache_dir)
    write_arrays(Path(str(SHIPPED)), packed(ears, key_of_examples()), packed=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    parser = argparse.ArgumentParser(description="Teach the ears with the shipped examples and messages (minutes).")
    parser.add_argument("--cache", type=Path, default=Path("var/models"), help="where the embedding model is kept")
    asyncio.run(main(parser.parse_args().cache))
