"""Models as judges of answers: optional, measured against people first, and never quoted raw.

A judge says of an answer whether it is as right as what the human said. Where people labelled the articles that
answer, its errors are known; where nobody did, its rate is put right for these errors, with the interval that this
costs. A judge of the same family as the writer likes what it would have written itself: the errors show that too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

from agent.errors import Misconfigured, ModelFailed
from agent.prompting import Prompt, digest
from agent.types import Source, Spent, Untrusted
from agent.wire import JsonObject
from evals.labels.label import Label
from evals.replay.case import Case
from evals.scoring.containment import turn_is_right
from evals.scoring.reading import Rules, read
from evals.statistics.corrected import JudgeErrors, rogan_gladen
from evals.statistics.measured import Measured
from tools.engines.llm.calling import Model
from tools.engines.llm.judgements import Judgement
from tools.engines.llm.ledger import Ledger
from tools.engines.llm.options import ModelOptions
from tools.engines.llm.structured import Judge as Structured
from tools.engines.llm.structured import ask_for
from tools.engines.llm.telling import judgement_messages
from tools.engines.llm.transport import open_client

MIN_LABELLED = 20
AT_ONCE = 8
_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Question:
    """One answer to judge: what the customer asked, what our agent said, and what the human said then.

    `truth` is what people's labels say of it, None where they don't.
    """

    ticket_id: str
    asked: str
    reply: str
    human_reply: str
    truth: bool | None


class Judge(Protocol):
    """Whoever says whether an answer is right."""

    @property
    def name(self) -> str:
        """What it is called in a report."""
        ...

    async def is_right(self, question: Question) -> bool | None:
        """Whether the answer is right; None when it couldn't be judged."""
        ...


def questions(cases: Iterable[Case], labels: Mapping[str, Label]) -> Iterator[Question]:
    """The first answer of each case that a human answered too.

    Only labels that a person gave are the truth: a rule's would measure how much the judge is like the rule. And only
    their articles: how alike two replies are isn't, since the judge looks at the same two.
    """
    rules = Rules()
    for case in cases:
        log, label = read(case), labels.get(case.ticket_id)
        turn = log.answers[0] if log.answers else None
        if case.ending in ("failed", "leaked") or turn is None or turn.human_reply is None:
            continue
        truth = None
        if label is not None and label.articles is not None and _by_a_person(label):
            alone = turn.model_copy(update={"agreement": None, "same_article": None})
            truth = turn_is_right(alone, label, rules)
        yield Question(case.ticket_id, "\n".join(turn.texts), turn.reply, turn.human_reply, truth)


def _by_a_person(label: Label) -> bool:
    known = dict(label.known).get("articles")
    return known is not None and known.source in ("gold", "hand")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge's word comes to. There is no raw rate here on purpose.

    `errors` are those on the answers that people labelled, `kappa` its agreement with these beyond chance. `rate` is
    the share of right answers among the `rate.n` others that it judged, put right for its errors; None when there were
    none, or when `refused` says why nothing follows. `unjudged` answers it couldn't judge, in both.
    """

    judge: str
    errors: JudgeErrors
    kappa: float | None
    rate: Measured | None
    refused: str | None
    unjudged: int

    def to_json(self) -> JsonObject:
        """As JSON."""
        errors = self.errors
        return {
            "judge": self.judge,
            "sensitivity": round(errors.sensitivity, 4) if errors.true_cases else None,
            "specificity": round(errors.specificity, 4) if errors.false_cases else None,
            "labelled_right": errors.true_cases,
            "labelled_wrong": errors.false_cases,
            "kappa": None if self.kappa is None else round(self.kappa, 4),
            "rate": self.rate.to_json() if self.rate else None,
            "refused": self.refused,
            "unjudged": self.unjudged,
        }


async def judge_all(judge: Judge, asked: Sequence[Question], *, at_once: int = AT_ONCE) -> Judged:
    """Measure the judge on the answers that people labelled, then let it judge the others, corrected."""
    verdicts = await _verdicts(judge, asked, at_once)
    known = [
        (question.truth, verdict)
        for question, verdict in zip(asked, verdicts, strict=True)
        if question.truth is not None and verdict is not None
    ]
    others = [
        verdict
        for question, verdict in zip(asked, verdicts, strict=True)
        if question.truth is None and verdict is not None
    ]
    errors = JudgeErrors(
        true_found=known.count((True, True)),
        true_cases=sum(truth for truth, _ in known),
        false_found=known.count((False, False)),
        false_cases=sum(not truth for truth, _ in known),
    )
    rate, refused = None, None
    if min(errors.true_cases, errors.false_cases) < MIN_LABELLED:
        refused = f"its errors aren't known: people have to label {MIN_LABELLED} right and {MIN_LABELLED} wrong answers"
    elif others:
        try:
            rate = rogan_gladen(sum(others), len(others), errors)
        except ValueError as exc:
            refused = str(exc)
    return Judged(judge.name, errors, _kappa(errors), rate, refused, verdicts.count(None))


async def _verdicts(judge: Judge, asked: Sequence[Question], at_once: int) -> list[bool | None]:
    places = asyncio.Semaphore(at_once)

    async def one(question: Question) -> bool | None:
        async with places:
            return await judge.is_right(question)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(question)) for question in asked]
    return [task.result() for task in tasks]


def _kappa(errors: JudgeErrors) -> float | None:
    """Cohen's kappa; None without both kinds.

    Source: Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20 (1960), 37-46.
    """
    total = errors.true_cases + errors.false_cases
    if not errors.true_cases or not errors.false_cases:
        return None
    same = (errors.true_found + errors.false_found) / total
    said_true = (errors.true_found + errors.false_cases - errors.false_found) / total
    truly = errors.true_cases / total
    by_chance = said_true * truly + (1 - said_true) * (1 - truly)
    return (same - by_chance) / (1 - by_chance)


class Right(Judgement):
    """Whether an answer is right; see evals/scoring/data/judge.md."""

    right: bool


class ModelJudge:
    """A model behind an OpenAI-compatible endpoint."""

    def __init__(self, options: ModelOptions, model: Model) -> None:
        self._options = options
        self._judge = Structured(model, max_tokens=options.max_judgement_tokens)
        self._prompt = judge_prompt()
        self.name = f"{model.endpoint.model} ({self._prompt.digest})"

    async def is_right(self, question: Question) -> bool | None:
        """Ask the model; None when it failed."""
        sections = [
            ("The customer's question", _lines(question.asked, Source.CUSTOMER)),
            ("The support team's reply", _lines(question.human_reply, Source.PERSON)),
            ("The assistant's reply", _lines(question.reply, Source.MODEL)),
        ]
        ledger = Ledger(self._options.budget, self._options.clocks.turn_s, Spent())
        messages = judgement_messages(self._prompt, sections, ask_for(Right))
        try:
            return (await self._judge.ask(self._prompt, messages, Right, ledger)).right
        except ModelFailed:
            return None


@asynccontextmanager
async def open_judge(options: ModelOptions, *, trust_env: bool = False) -> AsyncIterator[ModelJudge]:
    """Open the judging model that the settings name."""
    async with open_client(trust_env=trust_env) as client:
        yield ModelJudge(options, Model(options.judge, client, options.clocks, temperature=0.0))


def judge_prompt() -> Prompt:
    """The judge's prompt.

    Raises:
        Misconfigured: the installation lacks the file.
    """
    try:
        raw = files("evals.scoring").joinpath("data/judge.md").read_bytes()
    except OSError as exc:
        raise Misconfigured("the prompt 'judge' is missing from the installation") from exc
    return Prompt("judge", raw.decode("utf-8").strip(), digest(raw))


def _lines(text: str, source: Source) -> list[str]:
    return [Untrusted.of(text, source, limit=_CHARS).render_for_prompt()]
