"""What an embedder remembers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tools.embedding.remembered import RememberedEmbedder, apart


class Counting:
    name = "counting"
    dimensions = 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


async def test_a_memory_of_its_own_keeps_what_others_push_out() -> None:
    beneath = Counting()
    questions = RememberedEmbedder(beneath, kept=2)
    articles = apart(questions, kept=2)
    await articles.embed(["a sentence of an article"])
    await questions.embed(["one", "two", "three", "four"])
    beneath.texts.clear()

    again = await articles.embed(["a sentence of an article"])
    await questions.embed(["one", "four"])

    assert again[0, 0] == len("a sentence of an article")
    assert beneath.texts == ["one"]
