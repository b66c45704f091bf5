"""Servers for tests of the HTTP doors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.server.harness import Customer, Here, serving


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    """A server with a password, two bots' keys and an identity secret."""
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def customer(here: Here) -> Customer:
    """Somebody with the widget open."""
    return await here.session()
