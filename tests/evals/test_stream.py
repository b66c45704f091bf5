"""What the stream benchmark measures, with chats and answers small enough for a test."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from evals.bench.endpoint import Pace, answer, endpoint
from evals.bench.stream import measure
from evals.bench.stream_clients import CONTENDERS, Chat, Contender
from evals.bench.stream_turns import ARTICLE, turn_contenders

PACE = Pace(tokens=30, gap_s=0.001)


def quiet(stage: str, done: int, total: int) -> None:
    pass


@pytest.mark.usefixtures("few_resamples")
async def test_every_contender_is_measured_and_compared_with_bare_httpx() -> None:
    async with endpoint(PACE) as url:
        parts = {part.name: part for part in await measure(url, CONTENDERS, PACE, quiet, chats=2, rounds=2)}

    assert list(parts) == ["httpx", "openai", "chat_openai", "merged"]
    base = parts["httpx"].metrics
    assert base.keys() == {
        "cpu_us_per_token",
        "total_over_ideal",
        "first_token_p50_ms",
        "first_token_p95_ms",
        "first_sentence_p50_ms",
        "first_sentence_p95_ms",
    }
    for name in ("openai", "chat_openai", "merged"):
        metrics = parts[name].metrics
        ratios = {f"{metric.removesuffix('_ms')}_over_httpx": metric for metric in base}
        assert metrics.keys() == base.keys() | ratios.keys()
        for ratio, metric in ratios.items():
            assert metrics[ratio].value == pytest.approx(metrics[metric].value / base[metric].value)
        assert metrics["first_token_p50_ms"].value <= metrics["first_sentence_p50_ms"].value
    assert base["total_over_ideal"].value > 1
    assert base["cpu_us_per_token"].n == 2
    assert base["first_token_p95_ms"].n == 4
    assert parts["merged"].notes == {"chats": 2, "tokens": 30, "gap_ms": 1.0, "rounds": 2}


async def test_whole_turns_say_what_stands_at_the_gate(model_cache: Path) -> None:
    async with endpoint(Pace(tokens=60, gap_s=0.001)) as url:
        said = {}
        for name, contender in turn_contenders(model_cache).items():
            async with contender.open(url) as ask:
                said[name] = "".join([piece async for piece in ask()])

    assert list(said) == ["engine", "turn_gate_off", "turn_by_words", "turn"]
    assert all("billing page" in text for text in said.values())
    # What the gate stops is put in the article's words, or left out.
    known = re.sub(r"\s+", " ", f"{said['turn_gate_off']} {ARTICLE}")
    for text in (said["turn"], said["turn_by_words"]):
        sentences = [part.strip() for part in re.split(r"\[1\]", re.sub(r"\s+", " ", text))]
        assert [part for part in sentences if part and part not in known] == []


async def test_a_contender_that_loses_text_is_found_out() -> None:
    @asynccontextmanager
    async def losing(url: str) -> AsyncIterator[Chat]:
        async def ask() -> AsyncIterator[str]:
            for token in answer(PACE.tokens)[1:]:
                yield token

        yield ask

    with pytest.raises(RuntimeError, match="losing gave"):
        await measure("", {"losing": Contender(losing)}, PACE, quiet, chats=1, rounds=1)


@pytest.mark.parametrize("tokens", [1, 100, 1000])
def test_the_answer_has_as_many_tokens_as_asked_for(tokens: int) -> None:
    assert len(answer(tokens)) == tokens
    assert "".join(answer(tokens)).split() == [token.strip() for token in answer(tokens)]
