"""What the evals' tests share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from evals.bench import arena
from evals.statistics import measured
from graphs.assembly import Runtime, open_runtime
from graphs.settings import Settings
from tests.installed import use_models


@pytest.fixture
def trained_arena(model_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark's fresh installation finds trained what it would train in seconds, and just so."""

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Runtime]:
        use_models(settings.data_dir, model_cache)
        async with open_runtime(settings) as runtime:
            yield runtime

    monkeypatch.setattr(arena, "open_runtime", opened)


@pytest.fixture
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of a benchmark come from few resamples: how wide they are is another test's."""
    monkeypatch.setattr(measured, "RESAMPLES", 20)
