"""Teaching the shipped reader from the shipped examples: `make reader`, after many of them have changed.

Needs PyTorch and transformers, which Helpgraph itself does without, and an hour or two of two processors. Three are
taught: two with half of the passages each, so that every example has the word of one that never saw its passage, and
the one that is shipped, with all. What is done goes to a folder, a hundred steps at a time; whoever is stopped goes on
from there.
"""

import argparse
import hashlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice, repeat
from multiprocessing import get_context
from operator import attrgetter
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor, nn
from transformers import BertModel

from agent.errors import Misconfigured
from tools.arrays import Arrays, read_arrays, write_arrays
from tools.embedding.deltas import pack
from tools.embedding.taught_so_far import keep, resume
from tools.embedding.weights import MINILM_SHA256, Weights, find_weights, read_safetensors, verify
from tools.engines.local.support.entailing import plain
from tools.engines.local.support.examples import load_support_examples
from tools.engines.local.support.learning import prepare, weigh
from tools.engines.local.support.reader import SHIPPED, pair_number, pair_tokenizer

logger = logging.getLogger(__name__)

_EPOCHS, _RATE, _DECAY, _WARM, _BATCH = 3, 1e-4, 0.01, 100, 32
# Pairs of like length go together, out of so many batches drawn at random.
_SORTED = 32
_TOLD_EVERY = 100


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is to be read, tokenised, with a weight for each; `half` says which of two readers is taught with it."""

    numbers: tuple[int, ...]
    encoded: tuple[Encoding, ...]
    right: NDArray[np.float32]
    weights: NDArray[np.float32]
    half: NDArray[np.int64]


class PairReader:
    """The encoder on both texts; its first token's last state and the mean of all give one logit."""

    def __init__(self, weights: Weights) -> None:
        self.encoder = BertModel.from_pretrained(str(weights.folder), add_pooling_layer=False)
        # Words mean what they meant: only how they are read together is learnt, and shipped.
        self.encoder.embeddings.word_embeddings.weight.requires_grad_(False)
        self.head = nn.Linear(2 * self.encoder.config.hidden_size, 1)

    def __call__(self, some: Sequence[Encoding]) -> Tensor:
        """One logit for each."""
        shape = len(some), max(len(each.ids) for each in some)
        ids, kinds, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
        for row, each in enumerate(some):
            length = len(each.ids)
            ids[row, :length], kinds[row, :length] = torch.tensor(each.ids), torch.tensor(each.type_ids)
            mask[row, :length] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.encoder(input_ids=ids, token_type_ids=kinds, attention_mask=mask).last_hidden_state
        states, shown = states.float(), mask[..., None].float()
        mean = (states * shown).sum(1) / shown.sum(1)
        return self.head(torch.cat([states[:, 0], mean], 1))[:, 0]

    def learnt(self) -> dict[str, NDArray[np.float32]]:
        """All tensors, by the names of the published ones, and the head's."""
        encoder = {name: value.numpy() for name, value in self.encoder.state_dict().items()}
        return encoder | {f"head.{name}": value.numpy() for name, value in self.head.state_dict().items()}


def read_pairs(weights: Weights) -> Pairs:
    """The shipped examples, and right ones beside another's passage, as the trees learn from them."""
    read: list[tuple[str, str]] = []

    def note(source: str, said: str) -> float:
        read.append((source, said))
        return 0.0

    lessons = prepare(load_support_examples(), note)
    encoded = pair_tokenizer(weights).encode_batch([(plain(source), plain(said)) for source, said in read])
    groups = np.random.default_rng(0).permutation(np.unique(lessons.group))
    return Pairs(
        tuple(pair_number(source, said) for source, said in read),
        tuple(encoded),
        lessons.right.astype(np.float32),
        weigh(lessons).astype(np.float32),
        np.isin(lessons.group, groups[1::2]).astype(np.int64),
    )


def teach(reader: PairReader, pairs: Pairs, some: NDArray[np.int64], name: str, folder: Path) -> None:
    """Teach it with some of the pairs, going on where a file of that name in `folder` says that it was stopped."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    taught = [*filter(attrgetter("requires_grad"), reader.encoder.parameters()), *reader.head.parameters()]
    optimizer = torch.optim.AdamW(taught, lr=_RATE, weight_decay=_DECAY)
    steps = _EPOCHS * len(some) // _BATCH
    whole = nn.ModuleList([reader.encoder, reader.head])
    path = folder / f"{name}.pt"
    digest = _digest(pairs, some)
    first = resume(path, whole, optimizer, digest)
    started, losses = time.monotonic(), 0.0
    reader.encoder.train()
    for step, batch in islice(enumerate(_batches(pairs, some, rng)), first, steps):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / _WARM, (steps - step) / steps)
        right, weights = torch.from_numpy(pairs.right[batch]), torch.from_numpy(pairs.weights[batch])
        logits = reader([pairs.encoded[each] for each in batch])
        loss = (nn.functional.binary_cross_entropy_with_logits(logits, right, reduction="none") * weights).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(taught, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses += loss.item()
        if (step + 1) % _TOLD_EVERY == 0:
            left = (time.monotonic() - started) / (step + 1 - first) * (steps - step - 1)
            logger.info(
                "teaching the reader name=%s count=%d rows=%d loss=%.3f left_s=%.0f",
                name,
                step + 1,
                steps,
                losses / _TOLD_EVERY,
                left,
            )
            losses = 0.0
            keep(path, whole, optimizer, digest, step + 1)


def read_all(reader: PairReader, pairs: Pairs, some: NDArray[np.int64]) -> NDArray[np.float32]:
    """The log-odds of some of the pairs."""
    reader.encoder.eval()
    values = np.zeros(len(some), dtype=np.float32)
    order = np.argsort([len(pairs.encoded[each].ids) for each in some])
    with torch.no_grad():
        for part in np.array_split(order, max(1, len(order) // _BATCH)):
            values[part] = reader([pairs.encoded[some[each]] for each in part]).numpy()
    return values


def main(folder: Path) -> None:
    """Teach three readers, or those that aren't in `folder` yet, and write what is to be shipped.

    Raises:
        Misconfigured: the encoder's weights aren't there, or aren't the published ones.
    """
    weights = _published()
    # Two at a time with one thread each get a quarter further than one with two threads.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_start) as processes:
        whole, *halves = processes.map(_taught, ("all", "half-0", "half-1"), repeat(folder))
    pairs = read_pairs(weights)
    left_out = np.zeros(len(pairs.numbers), dtype=np.float32)
    for half, stored in enumerate(halves):
        left_out[pairs.half == half] = stored["values"]
    ship(weights, {name: value for name, value in whole.items() if name != "numbers"}, pairs.numbers, left_out)


def _start() -> None:
    logging.basicConfig(level=logging.INFO)
    torch.set_num_threads(1)


def _published() -> Weights:
    weights = find_weights()
    if weights is None:
        raise Misconfigured("the weights package is missing: make install")
    verify(weights)
    return weights


def _taught(name: str, folder: Path) -> Arrays:
    """What `folder` holds of one of the three, or what teaching it gives: tensors of all, log-odds of a half."""
    weights = _published()
    pairs = read_pairs(weights)
    asked = pairs.half == int(name[-1]) if name != "all" else np.zeros(len(pairs.half), dtype=np.bool_)
    numbers = np.array(pairs.numbers, dtype=np.uint64)
    reader = PairReader(weights)
    path = folder / f"{name}.npz"
    stored = read_arrays(path, ("numbers", *(("values",) if asked.any() else reader.learnt())))
    if stored is None or not np.array_equal(stored["numbers"], numbers):
        teach(reader, pairs, np.flatnonzero(~asked), name, folder)
        given = {"values": read_all(reader, pairs, np.flatnonzero(asked))} if asked.any() else reader.learnt()
        stored = {"numbers": numbers, **given}
        write_arrays(path, stored)
    # What it would have gone on from; a finished one is read from its own file.
    path.with_suffix(".pt").unlink(missing_ok=True)
    return stored


def ship(
    weights: Weights, learnt: dict[str, NDArray[np.float32]], numbers: Sequence[int], left_out: NDArray[np.float32]
) -> None:
    """Write what is to be shipped: what was learnt, and for each pair the word of one that never saw its passage."""
    arrays = pack(read_safetensors(weights.model_path), learnt)
    pairs = np.array(numbers, dtype=np.uint64)
    arrays |= {"base": np.array(MINILM_SHA256), "pairs": pairs, "left_out": left_out.astype(np.float16)}
    write_arrays(Path(str(SHIPPED)), arrays, packed=True)


def _digest(pairs: Pairs, some: NDArray[np.int64]) -> str:
    numbers = np.array(pairs.numbers, dtype=np.uint64)[some]
    return hashlib.sha256(numbers.tobytes() + pairs.right[some].tobytes()).hexdigest()


def _batches(pairs: Pairs, some: NDArray[np.int64], rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    lengths = np.array([len(each.ids) for each in pairs.encoded])
    while True:
        shuffled = rng.permutation(some)
        for start in range(0, len(shuffled), _BATCH * _SORTED):
            part = shuffled[start : start + _BATCH * _SORTED]
            part = part[np.argsort(lengths[part])]
            batches = [part[at : at + _BATCH] for at in range(0, len(part), _BATCH)]
            yield from (batches[each] for each in rng.permutation(len(batches)))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    parser = argparse.ArgumentParser(description="Teach the shipped reader from the shipped examples (an hour or two).")
    parser.add_argument("--folder", type=Path, default=Path("var/reader"), help="where finished halves are kept")
    main(parser.parse_args().folder)
