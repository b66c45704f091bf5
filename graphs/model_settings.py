"""What an operator can set about language models; unset, the local engine does everything."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from tools.engines.llm.options import Budget, Clocks, Endpoint, ModelOptions


class ModelSettings(BaseSettings):
    """The part of `Settings` that chooses and bounds models."""

    model: str | None = Field(
        default=None, description="The answering model's name at its endpoint. Unset: the local engine."
    )
    model_url: str | None = Field(
        default=None, description="Base URL of its OpenAI-compatible endpoint, up to /v1. Unset: OpenAI's own."
    )
    model_key: SecretStr | None = Field(default=None, description="Its key. Servers of your own often want none.")
    model_proxy: bool = Field(
        default=False, description="Reach models through the proxy that HTTPS_PROXY and NO_PROXY name."
    )
    model_temperature: float | None = Field(
        default=None, ge=0, le=2, description="Its temperature. Unset: the endpoint's own."
    )
    model_price_in: float = Field(default=0.0, ge=0, description="What a million tokens in cost, for the budgets.")
    model_price_out: float = Field(default=0.0, ge=0, description="What a million tokens out cost.")
    small_model: str | None = Field(
        default=None,
        description="A smaller model for judgements and second opinions on doubtful sentences. Unset: the same model "
        "judges, and doubtful sentences get no second opinion.",
    )
    small_model_url: str | None = Field(default=None, description="Its endpoint. Unset: that of the model.")
    small_model_key: SecretStr | None = Field(default=None, description="Its key. Unset: that of the model.")
    small_model_price_in: float = Field(default=0.0, ge=0, description="What a million of its tokens in cost.")
    small_model_price_out: float = Field(default=0.0, ge=0, description="What a million of its tokens out cost.")
    model_judges: Literal["doubtful", "always", "never"] = Field(
        default="doubtful",
        description="When a model judges a message too: where the local engine is in doubt, always, or never.",
    )
    model_first_token_s: float = Field(default=8.0, gt=0, description="How long the first token may take, in seconds.")
    model_token_gap_s: float = Field(default=5.0, gt=0, description="How long the next token may take, in seconds.")
    model_call_s: float = Field(default=20.0, gt=0, description="How long one call may take, in seconds.")
    model_judgement_s: float = Field(
        default=6.0, gt=0, description="How long a judgement may take, in seconds; then the local engine's counts."
    )
    model_turn_s: float = Field(
        default=24.0, gt=0, description="How long all calls of a turn may take, in seconds; less than a turn."
    )
    model_max_tokens: int = Field(default=700, ge=16, description="The longest answer, in tokens.")
    model_turn_tokens: int = Field(
        default=40_000, ge=0, description="Tokens that a turn may use, in and out together; 0 is no limit."
    )
    model_conversation_tokens: int = Field(
        default=200_000, ge=0, description="Tokens that a conversation may use; then the local engine goes on."
    )
    model_turn_cost: float = Field(default=0.0, ge=0, description="Money that a turn may cost; 0 is no limit.")
    model_conversation_cost: float = Field(default=0.0, ge=0, description="Money that a conversation may cost.")

    def model_options(self) -> ModelOptions | None:
        """The same as the engine takes them; None for the local engine alone."""
        if self.model is None:
            return None
        answering = Endpoint(self.model, self.model_url, self.model_key, self.model_price_in, self.model_price_out)
        judging = None
        if self.small_model is not None:
            judging = Endpoint(
                self.small_model,
                self.small_model_url or self.model_url,
                # A key goes to its own endpoint and to no other.
                self.small_model_key or (None if self.small_model_url else self.model_key),
                self.small_model_price_in,
                self.small_model_price_out,
            )
        return ModelOptions(
            answering=answering,
            judging=judging,
            judges=self.model_judges,
            clocks=Clocks(
                first_token_s=self.model_first_token_s,
                token_gap_s=self.model_token_gap_s,
                call_s=self.model_call_s,
                judgement_s=self.model_judgement_s,
                turn_s=self.model_turn_s,
            ),
            budget=Budget(
                self.model_turn_tokens,
                self.model_conversation_tokens,
                self.model_turn_cost,
                self.model_conversation_cost,
            ),
            max_answer_tokens=self.model_max_tokens,
            temperature=self.model_temperature,
        )
