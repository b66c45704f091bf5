"""What the log says of one turn: told from what the nodes left, and compared with what the human said."""

import numpy as np

from agent.ports import Engine
from agent.state import TurnState
from agent.types import Outcome, Passage, Understanding
from agent.wire import JsonObject, to_json
from evals.replay.case import Cited, Claim, Effect, Found, Turn
from evals.replay.script import Exchange
from graphs.assembly import Runtime
from graphs.translate import Finished
from tools.embedding.sentences import SentenceEmbedder

_COMPARED_CHARS = 400
_SOLVED = 0.5


class TurnBook:
    """Writes turns down. Support is estimated by the local engine, whichever answered."""

    def __init__(self, runtime: Runtime) -> None:
        self._engine: Engine = runtime.learner
        self._encoder = SentenceEmbedder()
        self._articles = {
            name: article.article_id
            for article in runtime.knowledge.catalogue()
            for name in (article.url, article.article_id)
            if name
        }

    async def write(self, number: int, exchange: Exchange, finished: Finished, path: tuple[str, ...]) -> Turn:
        """Return the turn as the case has it."""
        state = finished.state
        reply, heard = finished.reply, state["understanding"]
        draft = state.get("draft")
        passages = (*state["passages"], *(p for result in state.get("tool_results", ()) for p in result.passages))
        agreement = same = None
        if exchange.answer is not None and _is_compared(reply.outcome, exchange.answer):
            agreement = await self._alike(reply.text, exchange.answer)
            linked = {self._articles[link] for link in exchange.links if link in self._articles}
            same = bool(linked & {citation.article_id for citation in reply.citations}) if linked else None
        return Turn(
            turn=number,
            texts=tuple(entry.text for entry in exchange.said),
            outcome=reply.outcome.value,
            route=finished.route,
            reply=reply.text,
            path=path,
            category=heard.category,
            kind=heard.kind.value,
            language=heard.language,
            evidence=round(state["evidence"].probability, 6),
            decision=_decision(finished),
            found=tuple(
                Found(passage_id=p.passage_id, article_id=p.article_id, rank=place, score=round(p.score, 6))
                for place, p in enumerate(passages)
            ),
            citations=tuple(Cited(n=c.n, article_id=c.article_id, passage_id=c.passage_id) for c in reply.citations),
            claims=await self._claims(state, passages) if draft is not None else (),
            held_back=len(draft.held_back) if draft is not None else 0,
            broken_off=draft.broken_off if draft is not None else None,
            tools=tuple(result.tool for result in state.get("tool_results", ())),
            engine=to_json(finished.engine) if finished.engine is not None else {},
            human_reply=exchange.answer,
            agreement=agreement,
            same_article=same,
        )

    async def _claims(self, state: TurnState, passages: tuple[Passage, ...]) -> tuple[Claim, ...]:
        by_id = {passage.passage_id: passage for passage in passages}
        results = state.get("tool_results", ())
        claims = []
        for sentence in state["draft"].sentences:
            if not sentence.claim:
                continue
            cited = tuple(by_id[passage_id] for passage_id in sentence.cites if passage_id in by_id)
            support = await self._engine.support(sentence, cited, results)
            claims.append(
                Claim(text=sentence.text, cites=sentence.cites, from_tool=sentence.from_tool, support=round(support, 4))
            )
        return tuple(claims)

    async def _alike(self, ours: str, theirs: str) -> float:
        """How alike two replies are: the cosine of their embeddings, in [0, 1].

        The sentence encoder is the same in every installation, reads many languages, and tells replies to one question
        from replies to others better than the model behind search does (docs/replay.md).
        """
        one, other = await self._encoder.embed([ours[:_COMPARED_CHARS], theirs[:_COMPARED_CHARS]])
        return round(float(np.clip(one @ other, 0.0, 1.0)), 4)


def _is_compared(outcome: Outcome, human: str) -> bool:
    """Only an answer can agree with theirs, and a question with a question."""
    return outcome is Outcome.ANSWERED or (outcome is Outcome.ASKED and "?" in human)


def _decision(finished: Finished) -> JsonObject:
    """The staff's DECISION event without the customer's words, page and account, which the case has where it may."""
    verdict, heard = finished.state["verdict"], finished.state["understanding"]
    return {
        "route": verdict.route.value,
        "handoff_reason": verdict.handoff_reason,
        "clarify_reason": verdict.clarify_reason,
        "reasons": [to_json(reason) for reason in verdict.reasons],
        "expected_cost": dict(verdict.expected_cost),
        "understanding": {name: value for name, value in to_json(heard).items() if name != "question"},
        "evidence_features": {name: round(value, 6) for name, value in finished.state["evidence"].features.items()},
    }


def effects_of(number: int, finished: Finished) -> list[Effect]:
    """What a turn did besides speaking."""
    effects = []
    reply = finished.reply
    if reply.ticket is not None:
        title, is_new = reply.ticket.title, reply.ticket.is_new
        effects.append(Effect(turn=number, kind="bug", is_new=is_new, title=title, bug_id=reply.ticket.bug_id))
    if reply.handoff is not None:
        handoff = reply.handoff
        effects.append(
            Effect(
                turn=number,
                kind="handoff",
                queue=handoff.queue_id,
                priority=handoff.priority,
                reason=handoff.reason,
                bug_id=handoff.bug_id,
            )
        )
    return effects


def says_solved(heard: Understanding | None) -> bool | None:
    """Whether a message says that it is solved (True), that it isn't (False), or neither."""
    if heard is None or max(heard.says_solved, heard.says_unsolved) < _SOLVED:
        return None
    return heard.says_solved >= heard.says_unsolved
