"""CLINC150: a hundred and fifty intents, and messages that belong to none."""

from pathlib import Path
from typing import Any

from agent.errors import Misconfigured
from evals.bench.arena import BenchArticle, Progress, open_arena
from evals.bench.inputs import read_json
from evals.bench.report import BenchResult, Part
from evals.bench.scores import answer_curve, calibration, operating_point
from evals.statistics.measured import mean

NAME = "clinc150"
FILES = ("train_val.json", "test.json", "data_full.json")


def splits(data: Path) -> list[str]:
    """The parts that can be asked: `val` and `test`, as far as the files have them."""
    whole = _read(data)
    found = [part for part in ("val", "test") if whole.get(part) and whole.get(f"oos_{part}")]
    if not whole.get("train") or not found:
        raise Misconfigured(
            f"{data}: expected train, and val with oos_val or test with oos_test, in {', '.join(FILES)}"
        )
    return found


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Ingest the intents as articles with their training messages, ask the others, read the decisions.

    The out-of-scope messages for training are left alone: a team that starts has none.
    """
    whole = _read(data)
    questions: dict[str, list[str]] = {}
    for text, intent in whole["train"]:
        questions.setdefault(intent, []).append(text)
    articles = [BenchArticle(i, title := i.replace("_", " "), title, tuple(texts)) for i, texts in questions.items()]
    measured = []
    async with open_arena(articles, on_progress=on_progress) as arena:
        for part in parts:
            inside, outside = whole[part], whole[f"oos_{part}"]
            asked = []
            for place, (text, _) in enumerate([*inside, *outside]):
                asked.append(await arena.ask(text))
                on_progress(part, place + 1, len(inside) + len(outside))
            right = [one.answered == intent for one, (_, intent) in zip(asked, inside, strict=False)]
            refused = [one.answered is None for one in asked[len(inside) :]]
            labels = [*(intent for _, intent in inside), *([""] * len(outside))]
            metrics = {
                "inscope_accuracy": mean(right),
                "oos_recall": mean(refused),
                "accuracy": mean([*right, *refused]),
                "ece": calibration(labels, asked),
            }
            measured.append(Part(part, metrics, answer_curve(labels, asked), operating_point(labels, asked)))
    return BenchResult(NAME, measured)


def _read(data: Path) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for name in FILES:
        if (data / name).is_file():
            found = read_json(data / name)
            if not isinstance(found, dict):
                raise Misconfigured(f"{data / name}: expected an object of lists, by part")
            whole |= found
    return whole
