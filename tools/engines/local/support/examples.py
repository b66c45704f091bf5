"""The shipped pairs of passages and sentences that the comparison of sentences is learnt from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tools.engines.local.shipped import as_text, damaged, names_in, read_data, read_text

_FOLDER = "support"
# Sentences stand beside the passage so many places on: files are sorted by subject, and the next one may say the same.
_APART = 7


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence that was written about a passage; `what` says in which way a wrong one is wrong, "" when right."""

    passage: str
    sentence: str
    what: str

    @property
    def right(self) -> bool:
        """Whether the passage says what the sentence says."""
        return not self.what


def load_support_examples() -> list[Example]:
    """Read the shipped pairs.

    Raises:
        Misconfigured: the installation is damaged.
    """
    examples: list[Example] = []
    for name in names_in(_FOLDER):
        for group in read_data(name)["groups"]:
            passage = as_text(group["passage"])
            examples += [Example(passage, as_text(text), "") for text in group["right"]]
            examples += [Example(passage, as_text(wrong["text"]), as_text(wrong["what"])) for wrong in group["wrong"]]
    if not examples:
        raise damaged(_FOLDER)
    return examples


def digest_of_support_examples() -> str:
    """A hash of all files that say what is learnt from which words, without taking the time to understand them.

    Raises:
        Misconfigured: the installation is damaged.
    """
    found = hashlib.sha256()
    for name in (*names_in(_FOLDER), "wording", "empty_words"):
        found.update(f"{name}\x1f{read_text(name)}\x1e".encode())
    return found.hexdigest()


def strangers(examples: Sequence[Example]) -> list[Example]:
    """Right sentences, in order, beside another's passage, which says nothing of the kind."""
    passages = list(dict.fromkeys(example.passage for example in examples))
    another = dict(zip(passages, passages[_APART:] + passages[:_APART], strict=True))
    return [Example(another[example.passage], example.sentence, "other") for example in examples if example.right]
