"""Where a text would lead a browser, and whether its sources lead there too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.links import all_cited, targets

ADDRESS = "https://help.example/en/export"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Open **Billing > History**.", []),
        ("See [the page](/en/export).", ["/en/export"]),
        ("See [the page]( <https://a.example/x y> ).", ["https://a.example/x"]),
        ("[page]: https://a.example/x", ["https://a.example/x"]),
        ("See https://a.example/x.", ["https://a.example/x"]),
        ("See //a.example/x, please", ["//a.example/x"]),
        ("See www.a.example!", ["www.a.example"]),
        ("[x](javascript:alert(1))", ["javascript:alert(1"]),
        ("JAVASCRIPT:alert", ["JAVASCRIPT:alert"]),
        ("[mail](mailto:a@b.example)", ["mailto:a@b.example"]),
        ("Mail a@b.example.", ["a@b.example"]),
        ("![](x.png)", ["x.png", "!["]),
        ("<b>x</b>", ["<b>", "</b>"]),
        ("<img src=x", ["<img src=x"]),
        ("2 < 3 and 5 > 4", []),
    ],
)
def test_every_way_to_lead_somewhere_is_seen(text: str, found: list[str]) -> None:
    assert set(found) <= set(targets(text))
    assert bool(targets(text)) is bool(found)


@pytest.mark.parametrize(
    "source",
    [
        ADDRESS,
        f"See {ADDRESS}.",
        f"[x]({ADDRESS})",
        f"**{ADDRESS}**",
        f"<{ADDRESS}>",
        f"{ADDRESS}/",
        f"({ADDRESS}), or",
    ],
)
def test_an_address_that_a_source_has_is_cited(source: str) -> None:
    assert all_cited(f"See [it]({ADDRESS}) or {ADDRESS}.", ["nothing", source])


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("https://help.co", "https://help.com"),
        ("https://help.example", "https://help.example.evil/x"),
        ("https://help.example/en", f"{ADDRESS}"),
        ("https://help.example/en/", f"{ADDRESS}"),
        (ADDRESS, f"{ADDRESS}.html"),
        (ADDRESS, f"{ADDRESS}?all=1"),
        (ADDRESS, f"{ADDRESS}#csv"),
        (ADDRESS, f"{ADDRESS}-old"),
        (ADDRESS, f"not{ADDRESS}"),
        (f"{ADDRESS}?to=evil", ADDRESS),
        ("https://HELP.example/en/export", ADDRESS),
        ("[x](/en/export)", "export"),
    ],
)
def test_a_piece_of_an_address_or_more_than_it_leads_somewhere_else(text: str, source: str) -> None:
    assert not all_cited(text, [source])


def test_an_address_may_stand_whole_in_one_place_and_begin_a_longer_one_in_another() -> None:
    assert all_cited(ADDRESS, [f"{ADDRESS}.html and {ADDRESS}"])


def test_each_target_needs_a_source_and_no_target_needs_none() -> None:
    assert all_cited("Open it.", [])
    assert not all_cited(f"{ADDRESS} and https://evil.example", [ADDRESS])


def test_markup_and_images_stand_where_the_source_has_them() -> None:
    assert all_cited("<br>", ["one<br>two"])
    assert all_cited("![a](https://a.example/i.png)", ["![an image](https://a.example/i.png)"])
    assert not all_cited("<br onload=x>", ["one<br>two"])


@given(st.text(max_size=200))
def test_a_text_always_cites_itself(text: str) -> None:
    assert all_cited(text, [text])


@given(st.text(alphabet="[]()<>!/:.wht ps\\`'\"a", max_size=300), st.text(max_size=60))
def test_no_text_breaks_it(text: str, source: str) -> None:
    assert all_cited(text, [source]) in {True, False}
