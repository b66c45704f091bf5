"""Teaching the encoder behind search with customers' questions: `make search-encoder`, after they have changed.

Needs PyTorch and transformers, which Helpgraph itself does without, and an hour of two processors. What is learnt is
kept in a folder, some steps at a time; whoever is stopped goes on from there.

A question, the passage that answers it and one that only looks like it go together; the other passages of a batch are
wrong as well (van den Oord et al., "Representation learning with contrastive predictive coding", 2018).
"""

import argparse
import hashlib
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel

from agent.errors import Misconfigured
from agent.fast_yaml import parse_yaml
from tools.arrays import write_arrays
from tools.embedding.deltas import pack
from tools.embedding.search_encoder import SHIPPED
from tools.embedding.taught_so_far import keep, resume
from tools.embedding.weights import MINILM_SHA256, Weights, find_weights, open_tokenizer, read_safetensors, verify
from tools.knowledge.ingest import embedded_text
from tools.knowledge.parse import parse_file
from tools.knowledge.split import split

logger = logging.getLogger(__name__)

ASKED = files("tools.knowledge") / "data" / "asked"
_EPOCHS, _RATE, _DECAY, _WARM, _BATCH = 2, 4e-5, 0.01, 40, 32
_SCALE = 20.0
_TOKENS = 192
# Of so many passages that look like the right one, one is drawn, the nearest most often.
_LIKE_IT = 8
# Texts of like length go through together.
_CHUNK = 16
_TOLD_EVERY = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its passage, those that answer it as well, and those of its product that look like it."""

    question: str
    passage: str
    as_well: frozenset[str]
    like_it: tuple[str, ...]


class Encoder:
    """The published encoder; a text's vector is the mean of its last states, L2-normalised."""

    def __init__(self, weights: Weights) -> None:
        self.model = BertModel.from_pretrained(
            str(weights.folder),
            add_pooling_layer=False,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            # Written out: the other way's gradients take three times as long on a processor.
            attn_implementation="eager",
        )
        self._tokenizer = open_tokenizer(weights, _TOKENS)
        # Words mean what they meant, and nothing of them is shipped.
        self.model.embeddings.word_embeddings.weight.requires_grad_(False)
        self.model.embeddings.position_embeddings.weight.requires_grad_(False)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """One row per text."""
        encoded = self._tokenizer.encode_batch(list(texts))
        order = sorted(range(len(encoded)), key=lambda place: len(encoded[place].ids))
        chunks = [order[start : start + _CHUNK] for start in range(0, len(order), _CHUNK)]
        rows = torch.cat([self._rows([encoded[place].ids for place in chunk]) for chunk in chunks])
        return rows[torch.argsort(torch.tensor(order))]

    def _rows(self, some: Sequence[list[int]]) -> Tensor:
        shape = len(some), max(map(len, some))
        ids, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape)
        for row, each in enumerate(some):
            ids[row, : len(each)] = torch.tensor(each)
            mask[row, : len(each)] = 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = self.model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
        return nn.functional.normalize((states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=1)


def read_asked(encoder: Encoder) -> list[Asked]:
    """The shipped questions; the encoder says which passages look like the right one."""
    found: list[Asked] = []
    entries = sorted(ASKED.iterdir(), key=lambda entry: entry.name)
    for number, entry in enumerate(entries):
        logger.info("looking for passages that look like the right one count=%d rows=%d", number, len(entries))
        passages = parse_yaml(entry.read_text(encoding="utf-8"))["passages"]
        texts = {passage["id"]: _as_ingested(passage) for passage in passages}
        questions = [(question, passage) for passage in passages for question in passage["asked"]]
        with torch.no_grad():
            near = (encoder([question for question, _ in questions]) @ encoder(list(texts.values())).T).numpy()
        for row, (question, passage) in zip(near, questions, strict=True):
            as_well = {texts[other] for other in (passage.get("also") or {}).get(question, ())}
            own = texts[passage["id"]]
            ranked = [list(texts.values())[place] for place in np.argsort(-row)]
            like_it = [text for text in ranked if text != own and text not in as_well][:_LIKE_IT]
            found.append(Asked(str(question), own, frozenset(as_well), tuple(like_it)))
    return found


def _as_ingested(passage: dict[str, Any]) -> str:
    article = parse_file("a.md", f"---\ntitle: A\n---\n{passage['text']}".encode())
    body = "\n".join(piece.text for piece in split(article))
    return embedded_text(passage["title"], passage.get("section") or "", body)


def loss_of(encoder: Encoder, some: Sequence[Asked], rng: np.random.Generator) -> Tensor:
    """How surely the encoder takes each question's passage from among those of all, in nats."""
    drawn = [each.like_it[rng.choice(len(each.like_it), p=_odds(len(each.like_it)))] for each in some]
    candidates = list(dict.fromkeys([*(each.passage for each in some), *drawn]))
    place = {text: number for number, text in enumerate(candidates)}
    cosines = encoder([each.question for each in some]) @ encoder(candidates).T
    right_too = torch.zeros_like(cosines, dtype=torch.bool)
    for row, each in enumerate(some):
        for text in each.as_well & place.keys():
            right_too[row, place[text]] = True
    logits = (_SCALE * cosines).masked_fill(right_too, -1e4)
    return nn.functional.cross_entropy(logits, torch.tensor([place[each.passage] for each in some]))


def _odds(count: int) -> NDArray[np.float64]:
    odds = 1 / (1 + np.arange(count))
    return np.asarray(odds / odds.sum(), dtype=np.float64)


def teach(encoder: Encoder, asked: Sequence[Asked], folder: Path) -> None:
    """Teach it, going on where `folder` says that it was stopped."""
    taught = [each for each in encoder.model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(taught, lr=_RATE, weight_decay=_DECAY)
    steps = _EPOCHS * (len(asked) // _BATCH)
    path, digest = folder / "search.pt", _digest(asked)
    first = resume(path, encoder.model, optimizer, digest)
    started, losses = time.monotonic(), 0.0
    encoder.model.train()
    for step, (batch, rng) in islice(enumerate(_batches(len(asked))), first, steps):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * min(1.0, (step + 1) / _WARM, (steps - step) / steps)
        loss = loss_of(encoder, [asked[each] for each in batch], rng)
        loss.backward()
        nn.utils.clip_grad_norm_(taught, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses += loss.item()
        if (step + 1) % _TOLD_EVERY == 0:
            left = (time.monotonic() - started) / (step + 1 - first) * (steps - step - 1)
            logger.info(
                "teaching the search encoder count=%d rows=%d loss=%.3f left_s=%.0f",
                step + 1,
                steps,
                losses / _TOLD_EVERY,
                left,
            )
            losses = 0.0
            keep(path, encoder.model, optimizer, digest, step + 1)


def _batches(count: int) -> Iterator[tuple[NDArray[np.int64], np.random.Generator]]:
    """Places, and what draws at random for them: the same whether one goes on or begins."""
    epoch = 0
    while True:
        order = np.random.default_rng([0, epoch]).permutation(count)
        for number, batch in enumerate(np.array_split(order, count // _BATCH)):
            yield batch, np.random.default_rng([1, epoch, number])
        epoch += 1


def _digest(asked: Sequence[Asked]) -> str:
    return hashlib.sha256("\x1e".join(f"{each.question}\x1f{each.passage}" for each in asked).encode()).hexdigest()


def main(folder: Path) -> None:
    """Teach it and write what is to be shipped: the differences to the published weights.

    Raises:
        Misconfigured: the encoder's weights aren't there, or aren't the published ones.
    """
    weights = find_weights()
    if weights is None:
        raise Misconfigured("the weights package is missing: make install")
    verify(weights)
    encoder = Encoder(weights)
    teach(encoder, read_asked(encoder), folder)
    learnt = {name: value.numpy() for name, value in encoder.model.state_dict().items()}
    arrays = pack(read_safetensors(weights.model_path), learnt)
    write_arrays(Path(str(SHIPPED)), arrays | {"base": np.array(MINILM_SHA256)}, packed=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    parser = argparse.ArgumentParser(description="Teach the encoder behind search (an hour).")
    parser.add_argument("--folder", type=Path, default=Path("var/search-encoder"), help="where it is kept meanwhile")
    main(parser.parse_args().folder)
