"""What is in the built files: small, whole, and nothing that is fetched from elsewhere."""

import gzip
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.browser.conftest import ASSETS, STATIC

WEB = Path(__file__).parents[2] / "server" / "web"
MAX_WIDGET_BYTES = 80_000
BUILT = ["widget.js", "inbox.js", "inbox.css", "inbox.html", "bugs.html", "ops.html"]
# Names of XML vocabularies, and the address in an error message of marked; nobody asks them for anything.
NAMES_ONLY = re.compile(r"https?://www\.w3\.org/[\w/]+|https://github\.com/markedjs/marked\.?")
ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.IGNORECASE)
FETCHED_BY_CSS = re.compile(r"@import\b|\burl\(\s*['\"]?(?:https?:|[./])")


def built(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def test_the_widget_is_one_file_of_less_than_80_kilobytes_compressed() -> None:
    assert len(gzip.compress((STATIC / "widget.js").read_bytes(), 9)) < MAX_WIDGET_BYTES


@pytest.mark.parametrize("name", BUILT)
def test_a_built_file_names_no_address_that_is_fetched(name: str) -> None:
    rest = NAMES_ONLY.sub("", built(name))

    assert ADDRESS.findall(rest) == []
    assert "sourceMappingURL" not in rest
    assert not re.search(r"\bimport\(", rest)


@pytest.mark.parametrize("name", ["widget.js", "inbox.css"])
def test_styles_fetch_nothing(name: str) -> None:
    assert FETCHED_BY_CSS.findall(built(name)) == []


def test_the_widget_carries_the_styles_of_guided_steps() -> None:
    assert ".driver-popover" in built("widget.js")


class _Inline(HTMLParser):
    """Collects what a strict policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self._in_script = tag == "script"
        refused = [name for name in names if name == "style" or name.startswith("on")]
        if tag == "style" or refused or (tag == "script" and "src" not in names):
            self.found.append(f"{tag} {refused}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append("script text")


@pytest.mark.parametrize("name", ["inbox.html", "bugs.html", "ops.html"])
def test_the_teams_pages_have_no_inline_script_or_style(name: str) -> None:
    parser = _Inline()
    parser.feed(built(name))

    assert parser.found == []


@pytest.mark.parametrize("source", sorted((WEB / "src").rglob("*.ts")), ids=lambda path: path.name)
def test_our_sources_write_no_html(source: Path) -> None:
    text = source.read_text(encoding="utf-8")

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|unsafeHTML|\beval\(", text)


@pytest.mark.parametrize("folder", [WEB, Path(__file__).parent / "agui"], ids=["web", "agui"])
def test_versions_are_exact_and_locks_name_no_registry(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text())
    lock = json.loads((folder / "package-lock.json").read_text())
    wanted = {**package.get("dependencies", {}), **package.get("devDependencies", {})}

    assert [version for version in wanted.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert [name for name, entry in lock["packages"].items() if name and "integrity" not in entry] == []


def test_every_bundled_library_has_its_licence_beside_it() -> None:
    licences = built("LICENSES.txt")
    package = json.loads((WEB / "package.json").read_text())

    for name, version in package["dependencies"].items():
        assert f"{name} {version} (" in licences


def test_the_renderer_under_test_is_built() -> None:
    assert (ASSETS / "renderer.js").stat().st_size > 10_000
