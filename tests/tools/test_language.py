"""Which language a text is in: the same, whether the tables were unpacked just now or read back."""

from pathlib import Path

import pytest

from tools import language

TEXTS = (
    "Where can I find my invoices?",
    "Wo finde ich meine Rechnungen?",
    "¿Dónde están mis facturas?",
    "Kan ik mijn factuur downloaden?",
    "ok",
    "No",
    "私は",
    "12",
    "",
    "é" * 3000,
)


def guessed(monkeypatch: pytest.MonkeyPatch, cache_dir: Path | None = None) -> list[language.Guess]:
    """As a process that has just started."""
    monkeypatch.setattr(language._Kept, "identifier", None)
    if cache_dir is not None:
        language.prepare(cache_dir)
    return [language.identify(text) for text in TEXTS]


def test_what_was_kept_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = guessed(monkeypatch)
    kept = guessed(monkeypatch, tmp_path)
    [path] = tmp_path.iterdir()
    written = path.stat().st_mtime_ns
    read_back = guessed(monkeypatch, tmp_path)

    assert unpacked == kept == read_back
    assert [guess.language for guess in unpacked[:3]] == ["en", "de", "es"]
    assert path.stat().st_mtime_ns == written
    assert path.stat().st_size < 4_000_000


def test_a_damaged_file_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = guessed(monkeypatch, tmp_path)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (b"", b"not a zip", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert guessed(monkeypatch, tmp_path) == sound
        assert path.stat().st_size == len(whole)
