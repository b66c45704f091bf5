"""What an operator decides about models."""

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

Judges = Literal["doubtful", "always", "never"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind an OpenAI-compatible endpoint. `price_in` and `price_out` are money per million tokens."""

    model: str
    url: str | None = None
    key: SecretStr | None = None
    price_in: float = 0.0
    price_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long a call may take, in seconds: to the first token, between two, in all; and all calls of a turn.

    A judgement is waited for before the first word, or in the middle of an answer: it has less.
    """

    first_token_s: float = 8.0
    token_gap_s: float = 5.0
    call_s: float = 20.0
    judgement_s: float = 6.0
    turn_s: float = 24.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent, in tokens (in and out together) and money; 0 is no limit."""

    turn_tokens: int = 40_000
    conversation_tokens: int = 200_000
    turn_cost: float = 0.0
    conversation_cost: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The answering model, the judging one (the same unless another is named), and their limits."""

    answering: Endpoint
    judging: Endpoint | None = None
    judges: Judges = "doubtful"
    clocks: Clocks = Clocks()
    budget: Budget = Budget()
    max_answer_tokens: int = 700
    max_judgement_tokens: int = 400
    temperature: float | None = None

    @property
    def judge(self) -> Endpoint:
        """Who judges."""
        return self.judging or self.answering
