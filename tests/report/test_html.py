"""The page: self-contained, escaped, and open about what was not run."""

import base64
import re
from html.parser import HTMLParser

from neurogaze.report import html
from neurogaze.report.drawing import png, styled
from neurogaze.report.tables import Table

VOID = {"meta", "img", "br", "link"}


class Balance(HTMLParser):
    """Checks that tags close in order."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def small_picture() -> html.Picture:
    with styled(2, 1) as figure:
        figure.subplots()
        return html.Picture("plain", "a < b", png(figure))


def test_a_page_is_well_formed_and_self_contained():
    table = Table("T", "c & d", ("a", "b"), (("<script>", "84.1 [82.9, 85.3]"),))
    blocks = (html.table_html(table), html.gallery_html([small_picture()]))
    sections = [html.Section("First part", blocks, ""), html.Section("Other", (), "Not run.")]
    text = html.page("A & B", ["fact"], ["LEAKY (ce)"], sections)
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert "script" not in parser.seen
    assert "link" not in parser.seen
    assert not re.search(r"https?:|//[a-z]", re.sub(r"base64,[^\"]+", "", text))
    assert "<title>A &amp; B</title>" in text
    assert "&lt;script&gt;" in text
    assert "href='#first-part'" in text
    assert "href='#other'" not in text
    assert "<p class='absent'>Not run.</p>" in text
    assert html.RESEARCH_USE in text


def test_an_interval_is_set_apart():
    table = Table("T", "c", ("a", "b"), (("84.1 [82.9, 85.3]", "50.0 (n = 1,012)"),))
    text = html.table_html(table, heading=False)
    assert "84.1<span class='interval'>[82.9, 85.3]</span>" in text
    assert "50.0<span class='interval'>(n = 1,012)</span>" in text
    assert "<h3>" not in text


def test_a_picture_is_inside_at_the_size_it_was_drawn_for():
    picture = small_picture()
    text = html.gallery_html([picture])
    data = re.search(r"base64,([^\"]+)", text)
    assert base64.b64decode(data[1]) == picture.png
    assert 'style="width: 192px"' in text  # two inches at 96 pixels
    assert 'alt="a &lt; b"' in text


def test_the_footer_claims_no_feeling():
    text = html.RESEARCH_USE.lower()
    for words in ("perceived expression", "projection", "surveillance", "depression", "no gaze"):
        assert words in text
    assert "measured emotion" not in text
