"""The local embedding model: built from the real weights, run as an installation runs it."""

import json
import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent.errors import Misconfigured
from tests.forking import FORKS
from tools.embedding.choose import open_embedder
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.minilm_onnx import BertShape, build_graph
from tools.embedding.model_cache import cached_model
from tools.embedding.weights import MINILM_SHA256, Weights, find_weights, read_safetensors
from tools.onnx_runtime import onnxruntime

TEXTS = [
    "How do I download an invoice?",
    "Invoices are under Settings > Billing > History; each has a PDF button.",
    "Wo finde ich meine Rechnungen?",
    "¿Cómo puedo descargar mis facturas?",
    "The terminal shows the wrong hour after the clocks changed. " * 12,
    "I was charged twice!!!",
    "ok",
]


def packaged() -> Weights:
    weights = find_weights()
    assert weights is not None
    return weights


def copied(folder: Path, **replaced: bytes) -> Path:
    """A folder like the packaged one; `replaced` holds other contents by file name without its ending."""
    folder.mkdir()
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        content = replaced.get(name.split(".")[0])
        if content is None:
            (folder / name).symlink_to(packaged().folder / name)
        else:
            (folder / name).write_bytes(content)
    return folder


def tiny(folder: Path) -> Weights:
    """Another model of the kind, with one layer of eight numbers: built in a twentieth of the time."""
    config = json.loads((packaged().folder / "config.json").read_text())
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    layer = "encoder.layer.0"
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], 8),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], 8),
        "embeddings.token_type_embeddings.weight": (2, 8),
        **{f"{layer}.attention.self.{part}.weight": (8, 8) for part in ("query", "key", "value")},
        f"{layer}.attention.output.dense.weight": (8, 8),
        f"{layer}.intermediate.dense.weight": (16, 8),
        f"{layer}.output.dense.weight": (8, 16),
    }
    shapes |= {f"{name.removesuffix('.weight')}.bias": shapes[name][:1] for name in shapes if layer in name}
    norms = ("embeddings.LayerNorm", f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm")
    shapes |= {f"{norm}.{part}": (8,) for norm in norms for part in ("weight", "bias")}
    header, tensors, at = {}, b"", 0
    random = np.random.default_rng(0)
    for name, shape in shapes.items():
        data = random.normal(size=shape).astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data)]}
        tensors, at = tensors + data, at + len(data)
    told = json.dumps(header).encode()
    model = len(told).to_bytes(8, "little") + told + tensors
    weights = find_weights(copied(folder, model=model, config=json.dumps({**config, **sizes}).encode()))
    assert weights is not None
    return weights


@pytest.fixture(scope="module")
def float32_rows() -> NDArray[np.float32]:
    """What the graph says before it is quantised, one text at a time."""
    weights = packaged()
    model = build_graph(read_safetensors(weights.model_path), BertShape.read(weights.folder / "config.json"))
    assert isinstance(model, onnx.ModelProto)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(str(weights.tokenizer_path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    rows = []
    for text in TEXTS:
        ids = np.array([tokenizer.encode(text).ids])
        rows.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    return np.stack(rows)


async def test_int8_vectors_point_where_the_float32_ones_do(
    minilm: MiniLmEmbedder, float32_rows: NDArray[np.float32]
) -> None:
    rows = await minilm.embed(TEXTS)

    cosines = (rows * float32_rows).sum(axis=1)
    assert cosines.min() > 0.97, cosines
    assert cosines.mean() > 0.985, cosines


def test_float32_vectors_are_those_of_the_published_model(float32_rows: NDArray[np.float32]) -> None:
    reference = _reference(TEXTS[0])

    assert float(float32_rows[0] @ reference) > 0.99999


async def test_rows_are_normalised_and_the_same_in_any_company(minilm: MiniLmEmbedder) -> None:
    together = await minilm.embed([*TEXTS, *TEXTS[::-1]] * 4)
    alone = np.concatenate([await minilm.embed([text]) for text in TEXTS])

    assert together.shape == (8 * len(TEXTS), minilm.dimensions)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(together, np.concatenate([alone, alone[::-1]] * 4))


async def test_a_paraphrase_is_nearer_than_another_subject(minilm: MiniLmEmbedder) -> None:
    question, answer, other = await minilm.embed(
        ["How do I get a receipt for my payment?", TEXTS[1], "Pair the terminal with a 2.4 GHz network."]
    )

    assert question @ answer > question @ other + 0.2


async def test_no_texts_empty_texts_and_endless_texts_are_embedded(minilm: MiniLmEmbedder) -> None:
    assert (await minilm.embed([])).shape == (0, 384)

    rows = await minilm.embed(["", " ", "word " * 100_000, "\x00\ud7ff🙂", "日本語"])

    assert np.isfinite(rows).all()
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_weights_that_are_not_the_published_ones_are_refused_and_nothing_is_built(tmp_path: Path) -> None:
    header = b"\x02\x00\x00\x00\x00\x00\x00\x00{}"
    weights = Weights("minilm", copied(tmp_path / "model", model=header), MINILM_SHA256, checked=False)

    with pytest.raises(Misconfigured, match="not the published"):
        MiniLmEmbedder.open(weights, tmp_path / "cache")

    assert list((tmp_path / "cache").glob("*.onnx")) == []


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"model": b"\x02\x00\x00\x00\x00\x00\x00\x00{}"}, "lack the tensor"),
        ({"model": b"not tensors"}, "safetensors"),
        ({"model": b""}, "safetensors"),
        ({"config": b'{"model_type": "gpt2"}'}, "only BERT"),
        ({"config": b"[]"}, "not the config"),
        ({"tokenizer": b"{}"}, "not a tokenizer"),
    ],
)
def test_a_folder_of_something_else_is_refused_by_what_is_wrong(
    tmp_path: Path, model_cache: Path, replaced: dict[str, bytes], message: str
) -> None:
    folder = copied(tmp_path / "model", **replaced)
    cache = model_cache if "tokenizer" in replaced else tmp_path / "cache"

    with pytest.raises(Misconfigured, match=message):
        open_embedder("minilm", folder=folder, cache_dir=cache)


def test_a_folder_without_a_file_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")

    with pytest.raises(Misconfigured, match=r"config\.json"):
        find_weights(tmp_path)


def test_the_same_weights_in_a_folder_use_the_same_built_model(tmp_path: Path, model_cache: Path) -> None:
    weights = find_weights(copied(tmp_path / "model"))

    assert weights is not None
    assert weights.name == "minilm"
    assert cached_model(weights, model_cache) == cached_model(packaged(), model_cache)


async def test_a_damaged_built_model_is_built_again(tmp_path: Path) -> None:
    weights = tiny(tmp_path / "model")
    cache = tmp_path / "cache"
    before = await MiniLmEmbedder.open(weights, cache).embed(TEXTS)
    (built,) = cache.glob("*.onnx")
    whole = built.read_bytes()
    built.write_bytes(whole[: len(whole) // 2])

    embedder = MiniLmEmbedder.open(weights, cache)

    np.testing.assert_array_equal(await embedder.embed(TEXTS), before)
    assert built.read_bytes() == whole


class Built(logging.Handler):
    """The names of the models that are built in this process."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("model built"):
            self.names.append(record.getMessage().partition("name=")[2].split("-")[0])


def _open_and_embed(weights: Weights, cache_dir: Path) -> tuple[float, list[str]]:
    import asyncio

    built = Built()
    logger = logging.getLogger("tools.embedding.model_cache")
    logger.setLevel(logging.INFO)
    logger.addHandler(built)
    opened = [MiniLmEmbedder.open(each, cache_dir, threads=1) for each in (weights, packaged())]
    rows = [asyncio.run(each.embed(["hello"]))[0] for each in opened]
    return float(np.prod([np.linalg.norm(row) for row in rows])), built.names


def test_processes_that_start_together_build_each_model_once(tmp_path: Path, model_cache: Path) -> None:
    weights, cache = tiny(tmp_path / "model"), tmp_path / "cache"
    cache.mkdir()
    # To build the one for search is as much work.
    published = cached_model(packaged(), model_cache)
    (cache / published.name).symlink_to(published)

    with FORKS.Pool(2) as pool:
        (length, built), (other, others) = pool.starmap(_open_and_embed, [(weights, cache)] * 2)

    assert [length, other] == [pytest.approx(1.0, abs=1e-5)] * 2
    # That of the folder's weights, and the one for search.
    assert sorted([*built, *others]) == ["encoder", "minilm"]
    assert sorted(path.suffix for path in cache.iterdir()) == [".lock", ".lock", ".onnx", ".onnx", ".onnx"]


def _reference(text: str) -> NDArray[np.float64]:
    """The model written out in NumPy, operation by operation, in double precision."""
    weights = packaged()
    config = json.loads((weights.folder / "config.json").read_text())
    t = {name: value.astype(np.float64) for name, value in read_safetensors(weights.model_path).items()}
    tokenizer = Tokenizer.from_file(str(weights.tokenizer_path))
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids

    def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + config["layer_norm_eps"])
        return np.asarray(scaled * t[f"{name}.weight"] + t[f"{name}.bias"])

    def linear(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return np.asarray(x @ t[f"{name}.weight"].T + t[f"{name}.bias"])

    x = t["embeddings.word_embeddings.weight"][ids] + t["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + t["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    size = config["hidden_size"] // config["num_attention_heads"]
    for layer in range(config["num_hidden_layers"]):
        name = f"encoder.layer.{layer}"
        parts = [
            linear(x, f"{name}.attention.self.{part}").reshape(len(ids), -1, size).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        ]
        scores = parts[0] @ parts[1].transpose(0, 2, 1) / np.sqrt(size)
        weight = np.exp(scores - scores.max(-1, keepdims=True))
        context = (weight / weight.sum(-1, keepdims=True) @ parts[2]).transpose(1, 0, 2).reshape(len(ids), -1)
        x = norm(x + linear(context, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        wide = linear(x, f"{name}.intermediate.dense")
        wide = 0.5 * wide * (1 + _erf(wide / np.sqrt(2)))
        x = norm(x + linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def _erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.26; error below 1.5e-7."""
    k = 1 / (1 + 0.3275911 * np.abs(x))
    series = k * (0.254829592 + k * (-0.284496736 + k * (1.421413741 + k * (-1.453152027 + k * 1.061405429))))
    return np.asarray(np.sign(x) * (1 - series * np.exp(-x * x)))
