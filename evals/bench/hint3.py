"""HINT3: real messages to shop bots; answer with the right intent's article, or leave it to a person."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

from agent.errors import Misconfigured
from evals.bench.arena import Asked, BenchArticle, Progress, open_arena
from evals.bench.inputs import read_csv
from evals.bench.report import BenchResult, Part
from evals.bench.scores import answer_curve, calibration, operating_point
from evals.statistics.measured import Measured, bootstrap

NAME = "hint3"
NOTHING = "NO_NODES_DETECTED"
_COLUMNS = ("sentence", "label")


def splits(data: Path) -> list[str]:
    """The bots that have both a training and a test file."""
    bots = [path.name.removesuffix("_train.csv") for path in sorted((data / "train").glob("*_train.csv"))]
    found = [bot for bot in bots if (data / "test" / f"{bot}_test.csv").is_file()]
    if not found:
        raise Misconfigured(f"{data}: expected train/BOT_train.csv and test/BOT_test.csv")
    return found


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Ingest each bot's intents as articles with their example messages, ask its test messages, read the decisions."""
    measured = []
    for bot in parts:
        train = read_csv(data / "train" / f"{bot}_train.csv", _COLUMNS)
        test = read_csv(data / "test" / f"{bot}_test.csv", _COLUMNS)
        questions: dict[str, list[str]] = {}
        for row in train:
            questions.setdefault(row["label"], []).append(row["sentence"])
        articles = [
            BenchArticle(label, title := _title(label), title, tuple(texts)) for label, texts in questions.items()
        ]
        async with open_arena(articles, on_progress=on_progress) as arena:
            asked = []
            for place, row in enumerate(test):
                asked.append(await arena.ask(row["sentence"]))
                on_progress(bot, place + 1, len(test))
        labels = [row["label"] for row in test]
        measured.append(Part(bot, score(labels, asked), answer_curve(labels, asked), operating_point(labels, asked)))
    return BenchResult(NAME, measured)


def score(labels: list[str], asked: list[Asked]) -> dict[str, Measured]:
    """MCC over all labels with "nothing answers" as one of them, accuracy, in-scope accuracy, out-of-scope recall."""
    truth = np.array(labels)
    said = np.array([one.answered or NOTHING for one in asked])
    outside = truth == NOTHING
    measures = {
        "mcc": bootstrap(len(truth), lambda drawn: _mcc(truth[drawn], said[drawn])),
        "accuracy": bootstrap(len(truth), lambda drawn: float((truth == said)[drawn].mean())),
        "inscope_accuracy": bootstrap(
            int((~outside).sum()), lambda drawn: float((truth == said)[~outside][drawn].mean())
        ),
        "ece": calibration(labels, asked),
    }
    if outside.any():
        measures["oos_recall"] = bootstrap(
            int(outside.sum()), lambda drawn: float((said == NOTHING)[outside][drawn].mean())
        )
    return measures


def _mcc(truth: NDArray[np.str_], said: NDArray[np.str_]) -> float:
    # scikit-learn 1.9 gives 0 for a single label too, but warns, and small resamples often have only one.
    return float(matthews_corrcoef(truth, said)) if len(np.union1d(truth, said)) > 1 else 0.0


def _title(label: str) -> str:
    return label.replace("_", " ").strip().capitalize()
