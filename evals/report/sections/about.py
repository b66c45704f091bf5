"""What the run was made from, and what its numbers can't say."""

from collections.abc import Iterator

from markupsafe import Markup

from agent.wire import JsonObject
from evals.report.content import Content
from evals.report.figures import count
from evals.report.markup import fill, join, row, section, table

_SKIPPED = ("policy",)
_LIMITS = (
    "A replay is not what would have happened. A customer's second message answered a person; it is replayed only "
    "while it still fits "
    "what the agent said, and a ticket is scored as far as that goes.",
    "People's outcomes are no ground truth: people hand over wrongly too, and a label made by rule repeats that.",
    "Tickets are those who wrote. Who would have asked a chat window and never wrote a ticket is not in here.",
    "Intervals say what chance does to a number of this size. They do not say that next quarter will be like the last.",
    "Seconds are this machine's, not your production's.",
)


def about(content: Content) -> Markup:
    """The section."""
    counts = content.summary.counts
    lead = "Everything that decides these numbers. The same inputs give the same numbers."
    places = [
        ("tickets", content.survey.tickets), ("cases (tickets, as often as they were replayed)", counts.cases),
        ("scored", counts.scored), ("with a request", counts.with_request), ("no request", counts.courtesies),
        ("not known whether it is a request", counts.unknown), ("replayed in part", counts.diverged),
        ("broke down on our side", counts.failed), ("left out: made from this very ticket", counts.leaked),
    ]  # fmt: skip
    return section(
        "about",
        "About this run",
        lead,
        fill('<ul class="plain">{limits}</ul>', limits=join(fill("<li>{text}</li>", text=text) for text in _LIMITS)),
        table("Where the tickets went", ("", "cases"), [row(name, f"{number:,}") for name, number in places]),
        _file(content.manifest.get("tickets") or {}),
        fill("<details><summary>The run's own description</summary>{body}</details>", body=_manifest(content.manifest)),
        fill("<details><summary>The policy it went by</summary>{body}</details>", body=_policy(content.manifest)),
    )


def _file(file: JsonObject) -> Markup:
    """What of the tickets' file is in no ticket."""
    said = [f"{count(number, 'ticket')} refused: {reason}" for reason, number in (file.get("refused") or {}).items()]
    said += [f"{count(number, 'ticket')}: {remark}" for remark, number in (file.get("remarks") or {}).items()]
    if file.get("duplicates"):
        said.append(f"{count(file['duplicates'], 'older version')} of tickets left out")
    if file.get("cut_off"):
        said.append(f"the file breaks off at {file['cut_off'][0]}: {file['cut_off'][1]}")
    if not said:
        return Markup("")
    items = join(fill("<li>{text}</li>", text=text) for text in said)
    return fill('<h3>In the file of tickets</h3><ul class="plain">{items}</ul>', items=items)


def _manifest(manifest: JsonObject) -> Markup:
    rows = [row(name, value) for name, value in _flat(manifest, "") if name.split(".")[0] not in _SKIPPED]
    return table("run.json", ("", ""), rows, kind="facts")


def _policy(manifest: JsonObject) -> Markup:
    rows = [row(name, value) for name, value in _flat(manifest.get("policy") or {}, "")]
    return table("Policy", ("", ""), rows, kind="facts")


def _flat(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Each leaf by its dotted name; lists of plain values in one line."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for place, item in enumerate(value):
            yield from _flat(item, f"{path}.{place}")
    elif isinstance(value, list):
        yield path, ", ".join(map(str, value)) or "none"
    else:
        yield path, "none" if value is None or value == {} else str(value)
