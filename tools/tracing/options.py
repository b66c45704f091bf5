"""Where traces go, as the opening takes it."""

from dataclasses import dataclass

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Without a key and an endpoint, traces go nowhere.

    `texts` says whether LangSmith gets redacted texts; `flush_s` is how long the end may wait for what is unsent.
    """

    langsmith_url: str
    langsmith_project: str
    langsmith_key: SecretStr | None = None
    otlp_endpoint: str | None = None
    texts: bool = True
    flush_s: float = 5.0
