"""Reading articles: a bad one is refused by name and the rest goes on."""

import os
import signal
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from agent.errors import BadTurn
from tools.knowledge.sources import read_source

GOOD = "---\ntitle: Good\n---\nInvoices are under Billing."
# Each line stands for twice what the one above it does.
BOMB = b"---\na0: &a0 {k: v}\n" + b"".join(
    b"a%d: &a%d {<<: [*a%d, *a%d]}\n" % (n, n, n - 1, n - 1) for n in range(1, 40)
)
BOMB += b"---\ntext"


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Nothing here may wait: a file that never ends would hold up an ingest for ever."""

    def give_up(number: int, frame: object) -> None:
        raise AssertionError("reading took too long")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.md", GOOD)
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.md", b"---\na: [\n---\ntext", "not YAML"),
        ("a.md", b"---\nlast_reviewed: 2024-13-45\n---\ntext", "month"),
        ("a.md", b"---\nlast_reviewed: yesterday\n---\ntext", "last_reviewed"),
        ("a.md", b"---\na: " + b"[" * 3000 + b"]" * 3000 + b"\n---\ntext", "front matter"),
        ("a.md", b"---\ntitle: never ends\n", "front matter"),
        ("a.md", b"---\n- a list\n---\ntext", "mapping"),
        ("a.md", b"", "empty"),
        ("a.md", b"---\ntitle: Only a title\n---\n", "empty"),
        ("a.md", b"\x89PNG\x00\x01" * 50, "binary"),
        ("a.md", b"a " * 1_100_000, "2 MB"),
        ("a.md", b"---\nid: good\n---\ntext", "good"),
        ("a.md", b"---\na: !!bool maybe\n---\ntext", "not YAML"),
        ("a.md", b"---\na: !!timestamp soon\n---\ntext", "not YAML"),
        ("a.md", b"---\na: &a [x]\nb: *a\n---\ntext", "alias"),
        ("a.html", b"<div>" * 3000 + b"text" + b"</div>" * 3000, "deep"),
        ("a.html", b"<p>text</p><![endless]>", "HTML"),
        ("a.html", '<ol start="½"><li>text</li></ol>'.encode(), "HTML"),
        ("a.md", b'---\na: !!int ""\n---\ntext', "not YAML"),
        ("a.md", BOMB, "alias"),
        ("a.md", b"# Only a heading", "no text"),
        ("a.md", b"<div>\nInvoices are under Billing.\n</div>", "no text"),
        ("a.html", b"<![what[is this]]>text", "not HTML"),
        ("a.html", b"&#" + b"9" * 5000 + b";text", "not HTML"),
    ],
)
def test_a_broken_file_is_refused_and_the_others_are_read(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / name).write_bytes(content)

    reading = read_source(tmp_path)

    assert [article.article_id for article in reading.articles] == ["good"]
    assert len(reading.refused) == 1
    assert reason in reading.refused[0].reason


@pytest.mark.parametrize("name", ["title", "area", "owner", "language", "plans", "from_tickets", "questions"])
def test_what_can_not_be_stored_is_left_out_of_a_field(tmp_path: Path, name: str) -> None:
    value = '"B\\ud800\\0illing"'
    listed = f"[{value}]" if name in ("plans", "from_tickets", "questions") else value
    (tmp_path / "a.md").write_text(f"---\n{name}: {listed}\n---\ntext")

    (article,) = read_source(tmp_path).articles

    assert article.content_hash
    assert "Billing" in repr(article) or article.language == "bi"


def test_names_that_are_no_text_or_have_no_latin_letter_are_told_apart(tmp_path: Path) -> None:
    for name in (b"\xff.md", b"\xfe.md", "数据/导出.md".encode(), "数据/发票.md".encode(), "Über uns.md".encode()):
        path = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
        path.parent.mkdir(exist_ok=True)
        path.write_text(GOOD)
    (tmp_path / os.fsdecode(b"\xfd.md")).write_bytes(b"\x00")

    reading = read_source(tmp_path)

    ids = {article.article_id for article in reading.articles}
    assert len(ids) == 5
    assert {"xff", "xfe", "uber-uns"} < ids
    assert "" not in ids
    assert [refusal.source for refusal in reading.refused] == [r"\xfd.md"]


LENGTHY: dict[str, tuple[str, str]] = {
    "a heading of blanks": ("a.md", "# Title" + " " * 100_000 + "x\n\ntext"),
    "a heading of signs": ("a.md", "# Title" + " #" * 50_000 + "x\n\ntext"),
    "many numbers in base 60": ("a.md", "---\nid: 1" + ":1" * 500_000 + "\n---\n# Title\n\ntext"),
    "tags without an end": ("a.html", "<h1>Title</h1>" + "<a " * 30_000),
    "values without an end": ("a.html", "<h1>Title</h1>" + "<a x='" * 15_000),
    "comments without an end": ("a.html", "<h1>Title</h1><p>text</p>" + "<!--" * 30_000),
    "blanks": ("a.html", "<h1>Title</h1><p>a" + " " * 100_000 + "b"),
    "written blanks": ("a.html", "<h1>Title</h1><p>a" + "&#32;" * 100_000 + "b"),
    "a long list": ("a.html", "<h1>Title</h1><ol>" + "<li>x</li>" * 12_000 + "</ol>"),
}


@pytest.mark.parametrize("case", LENGTHY)
def test_an_article_that_is_written_to_take_long_is_read_at_once(tmp_path: Path, case: str) -> None:
    name, text = LENGTHY[case]
    (tmp_path / name).write_text(text)

    (article,) = read_source(tmp_path).articles

    assert article.title.startswith("Title")


def test_aliases_do_not_multiply(tmp_path: Path) -> None:
    names = "abcdefghij"
    lines = ["a: &a {k: v}"]
    lines += [f"{name}: &{name} {{<<: [{', '.join(['*' + before] * 9)}]}}" for before, name in pairwise(names)]
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / "a.md").write_text("---\n" + "\n".join(lines) + "\n---\ntext")

    assert [refusal.source for refusal in read_source(tmp_path).refused] == ["a.md"]


def test_what_is_never_closed_is_kept_as_words(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<h1>Title</h1><p>With <b>x</b> <!-- hidden -->if a < b and 1 <2 <em")

    (article,) = read_source(tmp_path).articles

    assert "**x**" in article.body
    assert "hidden" not in article.body
    assert "if a" in article.body


def test_links_out_of_the_folder_pipes_and_folders_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    (folder / "good.md").write_text(GOOD)
    (tmp_path / "secret.md").write_text("a secret")
    (folder / "link.md").symlink_to(tmp_path / "secret.md")
    (folder / "loop.md").symlink_to("loop.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "folder.md").mkdir()

    reading = read_source(folder)

    assert [article.article_id for article in reading.articles] == ["good"]
    assert sorted(refusal.source for refusal in reading.refused) == ["folder.md", "link.md", "loop.md", "pipe.md"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("bomb.md", b"a " * 900_000, "100 times"),
        ("big.md", os.urandom(1_100_000).hex().encode(), "2 MB"),
        ("../escape.md", b"text", "out of the archive"),
        ("/etc/escape.md", b"text", "out of the archive"),
        ("inner.zip", b"PK", "zip in a zip"),
        ("empty.md", b"", "empty"),
    ],
)
def test_a_dangerous_member_of_a_zip_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    reading = read_source(zipped(tmp_path / "kb.zip", {name: content}))

    assert [article.article_id for article in reading.articles] == ["good"]
    assert [reason in refusal.reason for refusal in reading.refused] == [True]


def test_a_damaged_member_of_a_zip_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "kb.zip", {"a.md": os.urandom(50_000).hex().encode()})
    raw = bytearray(path.read_bytes())
    start = raw.find(b"a.md") + 2000
    raw[start : start + 400] = b"\xff" * 400
    path.write_bytes(raw)

    reading = read_source(path)

    assert [article.article_id for article in reading.articles] == ["good"]
    assert "damaged" in reading.refused[0].reason


def test_bad_lines_are_refused_by_their_number(tmp_path: Path) -> None:
    good = b'{"id": "good", "title": "Good", "content": "Invoices are under Billing."}'
    lines = [good, b"nope", b'{"id": "a", "title": ["x"], "content": "y"}', b"\xff{}", b'{"id": "a"}', b"x" * 5_000_000]
    path = tmp_path / "kb.jsonl"
    path.write_bytes(b"\n".join([*lines, good.replace(b'"good"', b'"last"')]))

    reading = read_source(path)

    assert [article.article_id for article in reading.articles] == ["good", "last"]
    assert [refusal.source for refusal in reading.refused] == [f"kb.jsonl:{number}" for number in range(2, 7)]


def test_html_becomes_markdown_without_what_surrounds_the_article(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        "<html lang=de><title>Rechnungen</title><nav>Menü</nav><script>steal()</script><style>p{}</style>"
        "<h1>Rechnungen</h1><p>Unter <b>Abrechnung</b>.</p><ol><li>Erstens<li>Zweitens</ol></html>"
    )

    (article,) = read_source(tmp_path).articles

    assert (article.title, article.language) == ("Rechnungen", "de")
    assert "**Abrechnung**" in article.body
    assert "1. Erstens" in article.body
    for gone in ("Menü", "steal", "p{}"):
        assert gone not in article.body


def test_titles_and_languages_that_are_not_given_are_found(tmp_path: Path) -> None:
    (tmp_path / "from-heading.md").write_text("# Rechnungen herunterladen\n\nÖffnen Sie die Einstellungen.")
    (tmp_path / "from-name.md").write_bytes("Wählen Sie die Größe der Datei und öffnen Sie sie.".encode("cp1252"))

    by_id = {article.article_id: article for article in read_source(tmp_path).articles}

    assert by_id["from-heading"].title == "Rechnungen herunterladen"
    assert by_id["from-heading"].language == "de"
    assert by_id["from-name"].title == "from-name"
    assert "Größe" in by_id["from-name"].body


@pytest.mark.parametrize("name", ["absent", "kb.pdf", "empty", "array.jsonl", "cut.zip"])
def test_a_source_without_an_article_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "kb.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "empty").mkdir()
    (tmp_path / "array.jsonl").write_text("[]\n{}\n")
    cut = zipped(tmp_path / "cut.zip", {})
    cut.write_bytes(cut.read_bytes()[:-30])

    with pytest.raises(BadTurn, match=name):
        read_source(tmp_path / name)


@pytest.mark.parametrize(
    ("written", "plans"),
    [
        ("plans: Creator, School", ("Creator", "School")),
        ("plans: Team", ("Team",)),
        ("plans: [Team, Business]", ("Team", "Business")),
        ("plans: 2", ("2",)),
        ("plans:", ()),
        ('plans: ", "', ()),
    ],
)
def test_plans_may_be_written_as_a_list_or_with_commas_between(
    tmp_path: Path, written: str, plans: tuple[str, ...]
) -> None:
    (tmp_path / "a.md").write_text(f"---\ntitle: A\n{written}\n---\nInvoices are under Billing.")

    (article,) = read_source(tmp_path).articles

    assert article.plans == plans
