"""`helpgraph bench` on small made-up folders laid out like the public ones: what it reads, measures and writes."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from evals.bench.bank_kb import opening_request
from evals.bench.uss import read_turns
from evals.cli_bench import WITH_CURVE
from tests.shell import Shell

INTENTS = {
    "CALL_CENTER": ["when is your call centre open", "are you open on sunday", "hotline hours", "call centre timing"],
    "REFUND": ["I want my money back", "how do refunds work", "refund for a broken item", "return my order"],
    "SIZES": ["which size fits me", "is there a size chart", "are the shirts small", "size of the trousers"],
    "VOUCHER": ["redeem a voucher", "my promo code is rejected", "gift card balance", "use two coupons"],
    "JOBS": ["are you hiring", "send my CV", "internship at your company", "open positions for developers"],
}


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def hint3(tmp_path: Path) -> Path:
    folder = tmp_path / "hint3"
    train = [{"sentence": text, "label": label} for label, texts in INTENTS.items() for text in texts]
    test = [
        {"sentence": "how do I redeem my voucher", "label": "VOUCHER"},
        {"sentence": "refund of a broken thing", "label": "REFUND"},
        {"sentence": "the moon is made of cheese", "label": "NO_NODES_DETECTED"},
        {"sentence": "", "label": "NO_NODES_DETECTED"},
    ]
    for bot in ("shoes", "hats"):
        write_csv(folder / "train" / f"{bot}_train.csv", train)
        write_csv(folder / "test" / f"{bot}_test.csv", test)
    return folder


@pytest.fixture
def clinc150(tmp_path: Path) -> Path:
    folder = tmp_path / "clinc150"
    folder.mkdir()
    train = [[text, label.lower()] for label, texts in INTENTS.items() for text in texts]
    (folder / "train_val.json").write_text(
        json.dumps({"train": train, "val": train[:4], "oos_train": [["a", "oos"]], "oos_val": [["the moon", "oos"]]})
    )
    (folder / "test.json").write_text(json.dumps({"test": train[4:7], "oos_test": [["what a day", "oos"]]}))
    return folder


@pytest.fixture
def nlbse24(tmp_path: Path) -> Path:
    folder = tmp_path / "nlbse24"
    words = {"bug": "crash error broken", "feature": "please add support for", "question": "how do I"}
    rows = [
        {"repo": repo, "created_at": "2023-01-01", "label": label, "title": f"{said} {number}", "body": f"{said}\nmore"}
        for repo in ("a/b", "c/d")
        for label, said in words.items()
        for number in range(8)
    ]
    write_csv(folder / "issues_train.csv", rows)
    write_csv(folder / "issues_test.csv", rows[::3])
    return folder


@pytest.fixture
def stackfaq(tmp_path: Path) -> Path:
    folder = tmp_path / "stackfaq"
    folder.mkdir()
    threads = [
        {"thread": 0, "question": "Strikethrough in comments", "answer": ["Use tildes."], "rephr": ["strikethrough?"]},
        {"thread": 1, "question": "Delete a repository", "answer": ["Under settings."], "rephr": []},
    ]
    (folder / "threads.json").write_text(json.dumps(threads))
    (folder / "rephrasings.json").write_text(json.dumps([{"thread": 1, "rephr": ["how to delete my repository"]}]))
    return folder


@pytest.fixture
def uss(tmp_path: Path) -> Path:
    folder = tmp_path / "uss"
    folder.mkdir()
    (folder / "SHOP.txt").write_text(
        "USER\thello\tgreet\t3,3\nSYSTEM\tSorry, I could not find that.\t\t\n"
        "USER\tNo, that is not what I asked for\t\t1,2,2\nUSER\tOVERALL\t\t2,2\n\n"
        "USER\twhere is my order\t\t3,4\nSYSTEM\tIt arrives today.\t\t\nUSER\tgreat, thank you\t\t4,5\n"
    )
    return folder


@pytest.mark.usefixtures("trained_arena", "few_resamples")
@pytest.mark.parametrize(
    ("name", "parts", "keys"),
    [
        ("hint3", ["hats", "shoes"], {"mcc", "accuracy", "inscope_accuracy", "oos_recall", "ece"}),
        ("clinc150", ["val", "test"], {"inscope_accuracy", "oos_recall", "accuracy", "ece"}),
        ("nlbse24", ["folds", "test"], {"macro_f1"}),
        ("stackfaq", ["threads", "rephrasings"], {"map", "accuracy"}),
        ("uss", ["SHOP"], {"uar", "f1"}),
    ],
)
def test_every_part_is_measured_and_written(
    shell: Shell, tmp_path: Path, request: pytest.FixtureRequest, name: str, parts: list[str], keys: set[str]
) -> None:
    out, curve = tmp_path / "out.json", tmp_path / "curve.PNG"
    plot = ["--plot", str(curve)] if name in WITH_CURVE else []

    code, said = shell.run("bench", name, "--data", str(request.getfixturevalue(name)), "--out", str(out), *plot)

    assert code == 0, said
    found: dict[str, Any] = json.loads(out.read_text())
    assert list(found["parts"]) == parts
    for part in found["parts"].values():
        assert part["metrics"].keys() == keys
        assert all(set(value) == {"value", "low", "high", "n"} for value in part["metrics"].values())
        assert {"risk_coverage", "operating_point"} & set(part) == (
            {"risk_coverage", "operating_point"} if name in WITH_CURVE else set()
        )
    assert found["benchmark"] == name
    assert found["seconds"] > 0
    assert found["revision"]
    assert found["settings"]["costs"]["wrong_answer"] == 4.0
    assert not plot or curve.read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("few_resamples")
def test_one_part_of_a_fresh_installation_stands_at_the_top_and_is_drawn(
    shell: Shell, tmp_path: Path, hint3: Path
) -> None:
    out, plot = tmp_path / "out.json", tmp_path / "curve.svg"

    code, said = shell.run(
        "bench", "hint3", "--data", str(hint3), "--split", "shoes", "--out", str(out), "--plot", str(plot)
    )

    assert code == 0, said
    found = json.loads(out.read_text())
    assert list(found["parts"]) == ["shoes"]
    assert found["metrics"] == found["parts"]["shoes"]["metrics"]
    assert found["metrics"]["mcc"]["n"] == 4
    assert found["parts"]["shoes"]["risk_coverage"]
    assert "shoes: answers " in plot.read_text()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nope", "--data", "."], "there are: bank_kb, clinc150"),
        (["hint3"], "needs --data DIR"),
        (["hint3", "--data", "gone"], "no such folder"),
        (["hint3", "--data", "."], "expected train/BOT_train.csv"),
        (["clinc150", "--data", "."], "expected train, and val"),
        (["nlbse24", "--data", "."], "no issues_train.csv"),
        (["stackfaq", "--data", "."], "can't be read as JSON"),
        (["bank_kb", "--data", "."], "expected articles.jsonl"),
        (["uss", "--data", "."], "no dialogue file"),
        (["hint3", "--data", ".", "--out", "gone/x.json"], "doesn't exist"),
        (["hint3", "--data", ".", "--out", "."], "--out .: can't be written"),
        (["hint3", "--data", ".", "--plot", "gone/x.svg"], "--plot gone/x.svg: the folder gone doesn't exist"),
        (["hint3", "--data", ".", "--plot", "x.pdf"], "--plot x.pdf: the file must end in .svg or .png"),
        (["hint3", "--data", ".", "--plot", "curve"], "--plot curve: the file must end in .svg or .png"),
        (["uss", "--data", ".", "--plot", "x.svg"], "uss has no risk-coverage curve to --plot; these have: clinc150"),
        (["speed", "--plot", "x.svg"], "speed has no risk-coverage curve"),
        (["stream", "--split", "nope"], "there are: httpx, openai, chat_openai, merged"),
    ],
)
def test_wrong_use_is_explained(shell: Shell, arguments: list[str], expected: str) -> None:
    code, said = shell.run("bench", *arguments)

    assert code == 2
    assert expected in said


def test_an_unknown_part_is_named_with_the_known_ones(shell: Shell, hint3: Path) -> None:
    code, said = shell.run("bench", "hint3", "--data", str(hint3), "--split", "ties")

    assert code == 2
    assert "no part 'ties'" in said
    assert "hats, shoes" in said


def test_a_file_with_other_columns_is_named(shell: Shell, hint3: Path) -> None:
    write_csv(hint3 / "test" / "hats_test.csv", [{"text": "x", "label": "y"}])

    code, said = shell.run("bench", "hint3", "--data", str(hint3))

    assert code == 2
    assert "hats_test.csv: no column sentence" in said


def test_the_ratings_of_turns_are_read_and_the_whole_dialogues_rating_is_not(uss: Path) -> None:
    turns = read_turns(uss / "SHOP.txt")

    assert [(turn.dialogue, turn.text, turn.dissatisfied) for turn in turns] == [
        (0, "hello", False),
        (0, "No, that is not what I asked for", True),
        (1, "where is my order", False),
        (1, "great, thank you", False),
    ]
    assert turns[1].history == (("customer", "hello"), ("bot", "Sorry, I could not find that."))


@pytest.mark.parametrize(
    ("instructions", "request_"),
    [
        (
            'You are playing the role of a customer.\n1. Opening: "Hi, I lost my card and need a new one." If asked'
            ' why, say "I left it on a train."',
            "Hi, I lost my card and need a new one.",
        ),
        ("Here is how:\n- Start by saying you want to close your account.", "I want to close my account."),
        (
            "You are playing the role of a customer. You're looking for a savings account. If you find none, end the "
            "call. You have access to a tool. You want your card with no fees.",
            "I'm looking for a savings account. I want my card with no fees.",
        ),
        ("Nothing is wanted here.", ""),
    ],
)
def test_the_opening_request_is_what_a_customer_would_say_first(instructions: str, request_: str) -> None:
    assert opening_request(instructions) == request_
