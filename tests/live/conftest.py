"""The model that the tests ask."""

from collections.abc import AsyncIterator, Iterator

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tests.live.harness import PYTHON, TEMPLATE, Endpoint, model_served


@pytest.fixture(scope="session")
def environment() -> None:
    """Skip where the server isn't installed."""
    if not PYTHON.exists():
        pytest.skip("no model server is installed; `make test-llm` installs one and runs these tests")


@pytest.fixture(scope="session")
def served_model(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """The model, with a chat template that knows functions."""
    with model_served(tmp_path_factory.mktemp("model"), "--template", str(TEMPLATE)) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(served_model: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The model, named in the settings' variables too."""
    monkeypatch.setenv("HELPGRAPH_MODEL", served_model.model)
    monkeypatch.setenv("HELPGRAPH_MODEL_URL", served_model.url)
    monkeypatch.setenv("HELPGRAPH_MODEL_KEY", served_model.key)
    return served_model


@pytest.fixture
async def client(endpoint: Endpoint) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client."""
    async with openai.AsyncOpenAI(base_url=endpoint.url, api_key=endpoint.key, max_retries=0) as made:
        yield made


@pytest.fixture
async def chat(endpoint: Endpoint) -> AsyncIterator[ChatOpenAI]:
    """LangChain's client."""
    async with httpx.AsyncClient() as connections:
        yield ChatOpenAI(
            model=endpoint.model,
            base_url=endpoint.url,
            api_key=SecretStr(endpoint.key),
            temperature=0,
            max_retries=0,
            stream_usage=True,
            http_async_client=connections,
        )
