"""What an operator can set about traces; unset, there are none."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from tools.tracing.options import TraceOptions


class TracingSettings(BaseSettings):
    """The part of `Settings` that says where traces go."""

    langsmith_key: SecretStr | None = Field(
        default=None, description="Key of LangSmith. Unset: nothing is sent to it, whatever else the environment says."
    )
    langsmith_url: str = Field(
        default="https://api.smith.langchain.com", description="Its address, when it is not LangChain's own in the US."
    )
    langsmith_project: str = Field(default="helpgraph", min_length=1, description="Its project for the traces.")
    trace_texts: bool = Field(
        default=True,
        description="Send texts to LangSmith, redacted; false sends names, durations and counts alone.",
    )
    otlp_endpoint: str | None = Field(
        default=None,
        description="Address of an OpenTelemetry collector (OTLP/HTTP), e.g. http://localhost:4318. Unset: no spans.",
    )

    def trace_options(self) -> TraceOptions:
        """The same as `open_tracing` takes them."""
        key = self.langsmith_key
        return TraceOptions(
            langsmith_url=self.langsmith_url,
            langsmith_project=self.langsmith_project,
            langsmith_key=key if key is not None and key.get_secret_value().strip() else None,
            otlp_endpoint=self.otlp_endpoint or None,
            texts=self.trace_texts,
        )
