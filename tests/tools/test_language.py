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


def guessed(monkeypatch: pytest.MonkeyPatch, cache_dir: Path) -> list[language.Guess]:
    """As a process that has just started."""
    monkeypatch.setattr(language._Kept, "identifier", None)
    language.prepare(cache_dir)
    return [language.identify(text) for text in TEXTS]


def test_what_was_kept_says_the_same_and_a_damaged_file_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked = guessed(monkeypatch, tmp_path)
    [path] = tmp_path.iterdir()
    written, whole = path.stat().st_mtime_ns, path.read_bytes()
    read_back = guessed(monkeypatch, tmp_path)

    assert unpacked == read_back
    assert [guess.language for guess in unpacked[:3]] == ["en", "de", "es"]
    assert path.stat().st_mtime_ns == written
    assert len(whole) < 4_000_000

    path.write_bytes(whole[: len(whole) // 2])
    assert guessed(monkeypatch, tmp_path) == unpacked
    assert path.stat().st_size == len(whole)
