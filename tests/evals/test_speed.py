"""What the speed benchmark times, on bases small enough for a test."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evals.bench.speed import asked, measure
from tests.tools.engines.shop import HashedEmbedder


class Noting(HashedEmbedder):
    """Notes the questions, which come one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if len(texts) == 1:
            self.asked += texts
        return await super().embed(texts)


def quiet(stage: str, done: int, total: int) -> None:
    pass


@pytest.mark.usefixtures("few_resamples")
async def test_every_question_is_embedded_for_the_decision_and_once_alone_at_every_size(warm: Path) -> None:
    embedder = Noting()

    parts = await measure(embedder, {"large": 160, "small": 80}, quiet, models=warm, questions=20)

    times_each = {embedder.asked.count(text) for text in asked(20)}
    assert times_each == {4}
    assert [part.name for part in parts] == ["small", "large"]
    small, large = (part.metrics for part in parts)
    assert large.keys() == small.keys() | {"p95_growth"}
    assert small.keys() == {"p50_ms", "p95_ms", "p95_embedding_ms", "p95_over_embedding"}
    assert small["p95_over_embedding"].value == small["p95_ms"].value / small["p95_embedding_ms"].value
    assert large["p95_growth"].value == large["p95_ms"].value / small["p95_ms"].value
    assert {measured.n for measured in large.values()} == {20}
    assert [part.notes["passages"] for part in parts] == [80, 160]
    assert all(part.notes["resident_mb"] > 0 for part in parts)
