"""What a model is asked for in structured form. Strings are bounded: an unbounded one runs into the token limit."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.types import Kind

_Share = Annotated[float, Field(ge=0, le=1)]


class Judgement(BaseModel):
    """A structured reply of a model. What it adds is dropped; what it lacks or gets wrong is refused."""

    model_config = ConfigDict(extra="ignore")


class Heard(Judgement):
    """What a message is; see agent/prompts/understand.md."""

    kind: Kind
    sentiment: Annotated[float, Field(ge=-1, le=1)]
    wants_person: _Share
    risk: _Share
    question: str = Field(min_length=1, max_length=400)


class Opinion(Judgement):
    """Whether a person is needed; see agent/prompts/opinion.md."""

    person_needed: _Share


class WrittenBug(Judgement):
    """A bug; see agent/prompts/bug.md."""

    title: str = Field(min_length=3, max_length=120)
    doing: str = Field(max_length=400)
    expected: str = Field(max_length=400)
    actual: str = Field(max_length=600)
    steps: list[Annotated[str, Field(max_length=200)]] = Field(max_length=12)
    environment: str = Field(max_length=200)
    severity: Literal["low", "medium", "high"]


class Summary(Judgement):
    """What a customer wants; see agent/prompts/summary.md."""

    summary: str = Field(min_length=5, max_length=500)


class Supported(Judgement):
    """Whether a source says it; see agent/prompts/support.md."""

    supported: bool
