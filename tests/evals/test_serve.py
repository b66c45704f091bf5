"""What the serving benchmark measures, with sizes that a test can wait for."""

import asyncio
from pathlib import Path

import pytest

from evals.bench.endpoint import Pace, endpoint
from evals.bench.serve import Sizes, measure, splits
from evals.bench.serve_clients import Timed, ask_relay, clients
from evals.bench.serve_figures import Round, chat_metrics
from evals.bench.served import relaying

TINY = Sizes(messages=(2,), turns_each=2, idle=12, resumes=2, idle_s=0.1)


def quiet(stage: str, done: int, total: int) -> None:
    pass


@pytest.mark.usefixtures("few_resamples")
async def test_a_server_is_measured(model_cache: Path) -> None:
    found = await measure(["growth", "idle", "resume"], TINY, quiet, models=model_cache)
    parts = {part.name: part.metrics for part in found}

    assert list(parts) == ["message_1", "message_2", "idle_12", "resume"]
    assert parts["message_1"]["turn_over_first"].value == 1
    assert parts["message_2"]["turn_p50_ms"].n == 2
    assert parts["message_2"]["cpu_ms"].value > 0
    assert parts["idle_12"]["resident_mb"].value > 50
    assert parts["resume"]["first_event_p50_ms"].value > 0


async def test_the_baseline_passes_a_stream_on_as_it_comes() -> None:
    pace = Pace(tokens=40, gap_s=0.01)
    async with endpoint(pace) as url, relaying(url) as relay, clients(relay.url) as client:
        asked = await asyncio.gather(*(ask_relay(client) for _ in range(3)))

    for timed in asked:
        assert timed.first_word_s is not None
        assert timed.first_event_s <= timed.first_step_s <= timed.first_word_s < timed.end_s
        # Nothing was held back until the end.
        assert timed.end_s - timed.first_event_s > pace.ideal_s / 2


@pytest.mark.usefixtures("few_resamples")
def test_figures_are_compared_with_the_relay_of_the_same_rounds() -> None:
    relay = [Round(1.25, [Timed(0.01, 0.01, 0.02, 1.0), Timed(0.03, 0.03, 0.04, 1.2)])] * 3
    ours = [Round(2.5, [Timed(0.02, 0.03, 0.05, 1.5), Timed(0.04, 0.07, None, 1.8)])] * 3

    found = chat_metrics(ours, relay, 1.0)

    assert found["total_over_ideal"].value == 2.5
    assert found["turns_per_s"].value == pytest.approx(0.8)
    assert found["turns_per_s_over_relay"].value == pytest.approx(0.5)
    assert found["end_p50_over_relay"].value == pytest.approx(1.65 / 1.1)
    assert found["first_event_added_ms"].value == pytest.approx(10)
    assert found["first_step_added_ms"].value == pytest.approx(30)
    assert found["first_word_p50_ms"].value == pytest.approx((50 + 1800) / 2)
    assert found["end_p95_ms"].n == 6
    assert "total_over_ideal" not in chat_metrics(ours, None, 0.0)


def test_every_part_can_be_named() -> None:
    assert splits(Path()) == ["chats", "unpaced", "growth", "idle", "resume", "recovery"]
