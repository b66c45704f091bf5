"""The HTML report: one file that asks nothing of any network."""

import base64
import hashlib
from importlib.resources import files

from markupsafe import Markup

from agent.wire import JsonObject
from evals.report.content import Content
from evals.report.details import Shown, embeddable
from evals.report.markup import fill, join
from evals.report.sections.about import about
from evals.report.sections.categories import categories
from evals.report.sections.containment import containment
from evals.report.sections.escalation import escalation
from evals.report.sections.knowledge import knowledge
from evals.report.sections.mistakes import mistakes
from evals.report.sections.short import short
from evals.report.sections.spending import spending
from evals.report.sections.then import then
from evals.report.sections.threshold import curve_data, threshold
from evals.report.sections.tickets import tickets
from evals.report.words import ENDING_WORDS, MISTAKE_WORDS, REASONS, SOURCE_WORDS, VERDICT_WORDS, category_names

_SCRIPTS = ("dom.js", "curve.js", "case.js", "list.js")


def as_html(content: Content, shown: Shown) -> str:
    """The page."""
    says = {(row["id"], row["run"]): row["says"] for row in shown.rows}
    languages = sorted({row["language"] for row in shown.rows if row["language"]})
    parts = (
        short(content),
        then(content),
        containment(content),
        escalation(content),
        threshold(content),
        categories(content),
        knowledge(content),
        mistakes(content, says),
        spending(content),
        tickets(content, shown=len(shown.rows), languages=languages),
        about(content),
    )
    style, script = _static("report.css"), "\n".join(_static(name) for name in _SCRIPTS)
    data = {"words": _words(content), "curve": curve_data(content.summary.curve), "rows": shown.rows}
    return fill(
        _static("report.html"),
        policy=_content_policy(style, script),
        title=f"What would have happened: {content.name}",
        made=_made(content),
        style=Markup(style),  # noqa: S704  # Our own files, not text from anyone.
        script=Markup(script),  # noqa: S704
        parts=join(part for part in parts if part),
        # `embeddable` leaves nothing in these that could end the element.
        data=Markup(embeddable(data).decode()),  # noqa: S704
        details=Markup("[" + ",\n".join(detail.decode() for detail in shown.details) + "]"),  # noqa: S704
    )


def _static(name: str) -> str:
    return files("evals.report").joinpath("static", name).read_text(encoding="utf-8")


def _content_policy(style: str, script: str) -> str:
    """Only this page's own style and script run, and nothing is fetched or sent."""
    return (
        f"default-src 'none'; script-src '{_sum(script)}'; style-src '{_sum(style)}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _sum(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _made(content: Content) -> str:
    run = content.manifest
    engine, model = (run.get("engine") or {}).get("name"), (run.get("settings") or {}).get("model")
    learned = (run.get("learned") or {}).get("in_use")
    knows = run.get("knowledge") or {}
    parts = [
        f"tickets of {content.days}",
        f"engine {engine}{f' with {model}' if model else ''}",
        f"{knows.get('articles', '?')} articles",
        f"learnt model {learned}" if learned else "",
        f"revision {str(run.get('revision') or '?')[:12]}",
        f"replayed {str(run.get('finished_at') or run.get('started_at') or '')[:10]}",
    ]
    return " · ".join(part for part in parts if part)


def _words(content: Content) -> JsonObject:
    """Plain words for what the script shows."""
    return {
        "verdicts": {name: [words.title, words.meaning, words.tone] for name, words in VERDICT_WORDS.items()},
        "endings": ENDING_WORDS,
        "mistakes": MISTAKE_WORDS,
        "sources": SOURCE_WORDS,
        "reasons": REASONS,
        "categories": category_names(content.policy),
        "queues": {queue.queue_id: queue.name for queue in content.policy.queues},
        "titles": dict(sorted(content.titles.items())),
        "support": content.policy.sentence_support,
    }
