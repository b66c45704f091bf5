"""HTML messages as text."""

import pytest

from evals.tickets.markup import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a < b and c > d: <tag> x", "if a < b and c > d: <tag> x"),
        (
            "<p>Hello &amp; welcome,<br>\nfirst   line</p><p>second&nbsp;one</p>",
            "Hello & welcome,\nfirst line\n\nsecond one",
        ),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n\n- two"),
        ("<p>a</p><style>p {color: red}</style><script>if (a < b) x()</script><p>b</p>", "a\n\nb"),
        ("<p>new</p><div class='gmail_quote'>old<div>older</div>old</div><p>end</p>", "new\n\nend"),
        ('<p>new</p><blockquote type="cite"><p>old</p></blockquote>', "new"),
        ("<p>said: <blockquote>quoted on purpose</blockquote></p>", "said:\nquoted on purpose"),
        ("<p>a<!-- hidden --> b</p>", "a b"),
        ("<p>a<!-- never closed</p>", "a<!-- never closed"),
        ("<P>LOUD</P>", "LOUD"),
        ("<p>cut off <b", "cut off <b"),
        ("<div>" * 5000 + "deep", "deep"),
    ],
)
def test_a_message_is_what_its_reader_saw(text: str, expected: str) -> None:
    assert plain(text).text == expected


def test_links_are_found_behind_their_words() -> None:
    found = plain(
        """<p>see <a class="x" href="https://a.example/1?b=1&amp;c=2">this</a>, <a href='https://a.example/2'>that</a>
        <a href=https://a.example/3>and</a> <a href="mailto:ada@example.com">mail</a>
        <a href="javascript:x()">x</a></p>"""
    )

    assert found.text == "see this, that and mail x"
    assert found.links == ("https://a.example/1?b=1&c=2", "https://a.example/2", "https://a.example/3")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        *(
            "<p>",
            "<div>",
            "</div>",
            "<!--",
            "<!-- -->",
            "<a href=",
            "<a href='",
            "<",
            "<p",
            "&",
            "&amp",
            "&#",
            "<script>",
        ),
        *(
            "<a href=http://x ",
            "<![CDATA[",
            "<?",
            '<p x="',
            "<blockquote type=cite>",
            "<div class=gmail_quote>",
            "\n",
            " ",
        ),
        *("<p> ", "<a href=' href='", "<li>"),
    ],
)
def test_no_message_takes_longer_than_its_length_calls_for(unit: str) -> None:
    # Python's own parser takes a minute for some of these.
    plain("<p>" + unit * (200_000 // len(unit)))
