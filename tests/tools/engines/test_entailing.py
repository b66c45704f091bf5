"""An operator's entailment model: how its files are opened, which label counts, and what it changes."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from agent.errors import Misconfigured
from graphs.settings import Settings
from tests.tools.engines.test_what_models_say import held_out, stopped
from tools.engines.local.engine import LocalEngine
from tools.engines.local.support.entailing import SETTING, Entailment, plain
from tools.engines.local.support.examples import Example
from tools.engines.local.support.store import Reading, kept, shipped_key

DENIAL = 3


def write_model(
    folder: Path, *, entailed: int = 0, labels: int = 3, length: int | str = "length", flat: bool = False
) -> Path:
    """A model that takes a sentence with "not" or "'t" in it for denied, and every other for entailed."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {"[PAD]": 0, "[UNK]": 1, "[SEP]": 2, "not": DENIAL, "can't": DENIAL + 1}
    tokenizer = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A [SEP]", pair="$A [SEP] $B:1 [SEP]:1", special_tokens=[("[SEP]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    denied = (entailed + 1) % labels
    table = np.zeros((len(known), labels), dtype=np.float32)
    bias = np.zeros((labels,), dtype=np.float32)
    if not flat:
        table[DENIAL:, denied] = 9
        bias[entailed] = 3
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
            helper.make_node("ReduceMax", ["rows"], ["most"], axes=[1], keepdims=0),
            helper.make_node("Add", ["most", "bias"], ["logits"]),
        ],
        "denial",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", length])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", labels])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    return folder


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("entailed", [0, 1])
@pytest.mark.parametrize("length", ["length", 24])
def test_the_label_is_found_without_names(tmp_path: Path, labels: int, entailed: int, length: int | str) -> None:
    model = Entailment.open(write_model(tmp_path, labels=labels, entailed=entailed, length=length))

    assert model.label == entailed
    assert model("You can pay twice.", "You can pay.") > 0 > model("You can pay twice.", "You can not pay.")


def test_a_config_names_the_label(tmp_path: Path) -> None:
    write_model(tmp_path / "onnx", flat=True)
    names = {"0": "contradiction", "1": "neutral", "2": "ENTAILMENT"}
    (tmp_path / "config.json").write_text(json.dumps({"id2label": names}), encoding="utf-8")

    assert Entailment.open(tmp_path).label == 2


@pytest.mark.parametrize("missing", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [None, b"damaged"])
def test_a_folder_that_can_not_be_used_names_the_setting(tmp_path: Path, missing: str, content: bytes | None) -> None:
    path = write_model(tmp_path) / missing
    path.unlink() if content is None else path.write_bytes(content)

    with pytest.raises(Misconfigured, match=SETTING):
        Entailment.open(tmp_path)


@pytest.mark.parametrize("wrong", [{"flat": True}, {"labels": 9}])
def test_a_model_that_tells_nothing_apart_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(Misconfigured, match=SETTING):
        Entailment.open(write_model(tmp_path, **wrong))  # type: ignore[arg-type]  # one of two keywords.


def test_markdown_is_left_out() -> None:
    assert plain("1. Open **Plans**\n2. Read [this](x.md)") == "Open Plans Read this"


@pytest.mark.usefixtures("few_trees")
def test_trees_with_the_model_are_kept_apart_from_those_without(tmp_path: Path, few_examples: list[Example]) -> None:
    model, some = Entailment.open(write_model(tmp_path / "model")), few_examples

    assert shipped_key() != shipped_key(model) != shipped_key(replace(model, name="another"))
    bare, fresh = kept(tmp_path, "bare", examples=some), kept(tmp_path, "taught", examples=some, entailment=model)
    again = kept(tmp_path, "taught", examples=some, entailment=model)

    assert "entailed" in fresh.names
    assert "entailed" not in bare.names
    said, source = "You can not pay twice.", "You can pay once."
    assert fresh(said, source) == again(said, source)
    assert len(list(tmp_path.glob("support-*.npz"))) == 2


def test_who_is_stopped_while_it_reads_goes_on_where_it_was(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def entails(source: str, said: str) -> float:
        asked.append((source, said))
        if len(asked) == 600:
            raise KeyboardInterrupt
        return float(len(said))

    pairs = [(f"source {number}", "said") for number in range(700)]
    with pytest.raises(KeyboardInterrupt):
        _read_all(Reading(entails, tmp_path / "entailed.npz"), pairs)
    again = Reading(entails, tmp_path / "entailed.npz")
    values = _read_all(again, pairs)
    again.forget()

    assert asked.count(pairs[0]) == asked.count(pairs[499]) == 1
    assert values == [4.0] * 700
    assert list(tmp_path.iterdir()) == []


def _read_all(reading: Reading, pairs: list[tuple[str, str]]) -> list[float]:
    return [reading(source, said) for source, said in pairs]


@pytest.mark.usefixtures("few_trees")
def test_a_model_that_fails_on_a_sentence_leaves_it_to_the_words(
    tmp_path: Path, few_examples: list[Example], caplog: pytest.LogCaptureFixture
) -> None:
    model, some = Entailment.open(write_model(tmp_path / "model")), few_examples
    bare = kept(tmp_path, "bare", examples=some)
    taught = replace(kept(tmp_path, "taught", examples=some, entailment=model), without=bare)
    # More tokens than there are rows: as a graph fails that was exported for other words.
    broken = replace(taught, entailment=replace(model, tokenizer=_tokenizer_of_others(tmp_path / "others")))
    said, source = "You can not pay twice.", "You can pay once."

    assert broken(said, source) == bare(said, source)
    assert "compared by words instead" in caplog.text


def _tokenizer_of_others(folder: Path) -> Tokenizer:
    """A tokenizer whose words the model doesn't have."""
    write_model(folder)
    whole = json.loads((folder / "tokenizer.json").read_text())
    whole["model"]["vocab"] = {word: number + 1_000 for word, number in whole["model"]["vocab"].items()}
    return Tokenizer.from_str(json.dumps(whole))


def test_the_setting_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SETTING, str(tmp_path))

    assert Settings().entailment_folder == tmp_path


async def test_with_a_real_model_fewer_right_sentences_are_stopped(engine: LocalEngine, model_cache: Path) -> None:
    folder = os.environ.get("HELPGRAPH_TEST_ENTAILMENT_FOLDER")
    if not folder:
        pytest.skip("HELPGRAPH_TEST_ENTAILMENT_FOLDER names no folder with an entailment model")
    model = Entailment.open(Path(folder))
    taught = await LocalEngine.open(None, (), cache_dir=model_cache, entailment=model)

    without, found = await stopped(engine, held_out()), await stopped(taught, held_out())

    wrong = [each for what, group in found.items() if what != "right" for each in group]
    print(sum(wrong), len(wrong), sum(found["right"]), sum(without["right"]))
    assert sum(wrong) / len(wrong) >= 0.88
    assert sum(found["right"]) < 0.8 * sum(without["right"])
