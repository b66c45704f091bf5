"""Opening the engine: what it learns, keeps, and does without."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from agent.policy import CategoryPolicy
from agent.types import PageContext, Understanding
from tests.tools.engines.conftest import words
from tests.tools.engines.shop import CATEGORIES, HashedEmbedder
from tools.engines.local.ears.classify import train
from tools.engines.local.ears.features import Featurizer
from tools.engines.local.engine import LocalEngine

QUESTION = "how do I invite a colleague"


async def heard_by(engine: LocalEngine, text: str = QUESTION) -> Understanding:
    return await engine.understand((words(text),), (), PageContext())


@pytest.fixture
def own(warm: Path, tmp_path: Path) -> Path:
    """A copy of what was learnt, to be changed."""
    return Path(shutil.copytree(warm, tmp_path / "own"))


def written(folder: Path) -> dict[Path, int]:
    """When each file was written."""
    return {path: path.stat().st_mtime_ns for path in folder.iterdir()}


def damage(folder: Path, into: Path) -> None:
    """Copy the files, each damaged in one of three ways."""
    for number, path in enumerate(sorted(folder.iterdir())):
        data = path.read_bytes()
        (into / path.name).write_bytes([b"", b"not a zip", data[: len(data) // 2]][number % 3])


async def test_what_was_learnt_is_read_back(warm: Path) -> None:
    embedder = HashedEmbedder()
    files = written(warm)

    engine = await LocalEngine.open(embedder, CATEGORIES, cache_dir=warm)

    assert embedder.calls == 0
    assert written(warm) == files
    assert (await heard_by(engine)).category == "members_permissions"


def test_nothing_is_kept_as_code(warm: Path) -> None:
    for path in warm.glob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            for name in stored.files:
                assert stored[name].dtype != object


@pytest.mark.usefixtures("few_texts")
async def test_damaged_files_are_made_again_and_say_the_same(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    first = await LocalEngine.open(HashedEmbedder(), CATEGORIES, cache_dir=whole)
    damaged.mkdir()
    damage(whole, damaged)

    second = await LocalEngine.open(HashedEmbedder(), CATEGORIES, cache_dir=damaged)

    for text in ("I was charged twice", "hola", "the export is empty", QUESTION):
        assert await heard_by(first, text) == await heard_by(second, text)
    embedder, files = HashedEmbedder(), written(damaged)
    await LocalEngine.open(embedder, CATEGORIES, cache_dir=damaged)
    assert embedder.calls == 0
    assert written(damaged) == files


@pytest.mark.usefixtures("few_texts")
async def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")

    engine = await LocalEngine.open(None, CATEGORIES, cache_dir=blocked)

    assert (await heard_by(engine)).category == "members_permissions"


async def test_other_categories_are_learnt_anew_and_nothing_else(own: Path) -> None:
    fruit = (
        CategoryPolicy("apples", "Apples", examples=("red apple", "apple pie", "apple tree")),
        CategoryPolicy("pears", "Pears", examples=("green pear", "pear juice", "pear tart")),
    )
    embedder = HashedEmbedder()
    before = written(own)

    engine = await LocalEngine.open(embedder, fruit, cache_dir=own)

    new = [path.name for path in written(own) if path not in before]
    # The categories with an embedding, by words alone, and their vectors.
    assert sorted(name.rsplit("-", 1)[0] for name in new) == ["classifier-category", "classifier-category", "examples"]
    assert embedder.texts == 8
    assert (await heard_by(engine, "an apple cake please")).category == "apples"


@pytest.mark.parametrize("count", [0, 1])
async def test_a_workspace_with_hardly_any_category(own: Path, count: int) -> None:
    engine = await LocalEngine.open(HashedEmbedder(), CATEGORIES[:count], cache_dir=own)

    heard = await heard_by(engine)

    assert heard.category == (CATEGORIES[0].category_id if count else "other")
    assert heard.category_confidence == float(count)


async def test_an_embedder_that_fails_now_leaves_the_words(warm: Path) -> None:
    embedder = HashedEmbedder()
    engine = await LocalEngine.open(embedder, CATEGORIES, cache_dir=warm)
    embedder.broken = True

    heard = await heard_by(engine, "how do I invite somebody to my team")

    assert heard == await heard_by(
        await LocalEngine.open(None, CATEGORIES, cache_dir=warm), "how do I invite somebody to my team"
    )


async def test_an_embedder_that_fails_at_start_leaves_the_words(warm: Path, own: Path) -> None:
    for path in written(own):
        if path.name.startswith("examples-"):
            path.unlink()
    embedder = HashedEmbedder()
    embedder.broken = True

    engine = await LocalEngine.open(embedder, CATEGORIES, cache_dir=own)

    assert await heard_by(engine) == await heard_by(await LocalEngine.open(None, CATEGORIES, cache_dir=warm))


async def test_a_message_is_embedded_once(warm: Path) -> None:
    embedder = HashedEmbedder()
    engine = await LocalEngine.open(embedder, CATEGORIES, cache_dir=warm)

    await heard_by(engine)
    calls = embedder.calls
    await heard_by(engine)

    assert embedder.calls == calls


def test_probabilities_are_calibrated_on_left_out_examples() -> None:
    """Labels that no word foretells: a classifier that is sure of them learnt the examples by heart."""
    generator = np.random.default_rng(0)
    texts = [" ".join(generator.choice(list("bcdfghjklm"), size=6)) for _ in range(120)]
    labels = [str(label) for label in generator.integers(0, 2, size=120)]
    featurize = Featurizer()

    trained = train(featurize(texts, None), labels, texts)

    unseen = featurize([" ".join(generator.choice(list("bcdfghjklm"), size=6)) for _ in range(60)], None)
    assert np.mean([trained(unseen[row]).confidence for row in range(60)]) < 0.75
