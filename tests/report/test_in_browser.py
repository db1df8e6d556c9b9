"""The page as its readers see it, in headless Chromium: wide, on a phone, in the dark and on paper."""

import re

import pytest

A4_HEIGHT = (297 - 15 - 16) / 25.4 * 96
"""Of the text of a sheet, in CSS pixels; `page.css` sets the margins."""

A4_WIDTH = (210 - 2 * 14) / 25.4 * 96

READABLE = 4.5
"""Contrast of small text (WCAG 2.2, criterion 1.4.3)."""

CONTRAST = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = rgb => rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const back = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = parts(getComputedStyle(e).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (e.matches("title, desc, .hidden, .skip")) continue;
    const style = getComputedStyle(e);
    const ink = parts(e.closest("svg") ? style.fill : style.color).slice(0, 3);
    const [a, b] = [light(ink), light(back(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < %s) poor.push([e.tagName, e.className.baseVal ?? e.className, e.textContent.slice(0, 30), ratio]);
  }
  return poor;
}"""


@pytest.fixture
def visit(chromium):
    """Open a page without a network, and fail on any request, message on the console or error."""
    opened = []

    def open_page(path, *, width=1280, height=900, scheme="light"):
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, offline=True)
        page = context.new_page()
        told = []
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: told.append(request.url) if request.url != path.as_uri() else None)
        page.on("requestfailed", lambda request: told.append(request.url))
        opened.append((context, told))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context, told in opened:
        context.close()
        assert [line for line in told if not line.startswith("data:image/png")] == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_overflows_the_page(visit, sample_page, width):
    page = visit(sample_page, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_wide_table_scrolls_in_its_own_box_by_keyboard_too(visit, sample_page):
    page = visit(sample_page, width=390)
    boxes = page.evaluate(
        "[...document.querySelectorAll('.scroll')].map(e => [e.scrollWidth > e.clientWidth, e.tabIndex])"
    )
    assert sum(wide for wide, _ in boxes) > 5
    assert all(index == 0 for _, index in boxes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(visit, sample_page, scheme):
    page = visit(sample_page, scheme=scheme)
    assert page.evaluate(CONTRAST % READABLE) == []


def test_a_dark_reader_gets_a_dark_page_and_paper_is_white(visit, sample_page):
    page = visit(sample_page, scheme="dark")
    back, line = (
        "getComputedStyle(document.body).backgroundColor",
        "getComputedStyle(document.querySelector('h1')).color",
    )
    assert page.evaluate(back) == "rgb(18, 22, 27)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(back) == "rgb(255, 255, 255)"
    assert page.evaluate(line) == "rgb(27, 33, 39)"


def test_charts_follow_the_colours_of_the_page(visit, sample_page):
    fill = "getComputedStyle(document.querySelector('#figure-tail svg text')).fill"
    assert visit(sample_page, scheme="light").evaluate(fill) == "rgb(27, 33, 39)"
    assert visit(sample_page, scheme="dark").evaluate(fill) == "rgb(228, 233, 238)"


def test_no_chart_and_no_row_is_cut_on_paper(visit, sample_page):
    page = visit(sample_page, width=int(A4_WIDTH))
    page.emulate_media(media="print")
    found = page.evaluate(
        """() => [...document.querySelectorAll("figure, tr, .verdict, .method")].map(e => {
          const box = e.getBoundingClientRect();
          return [e.tagName, e.id, box.height, box.right, getComputedStyle(e).breakInside];
        })"""
    )
    assert sum(tag == "FIGURE" for tag, *_ in found) == 9
    for tag, identity, height, right, inside in found:
        assert inside == "avoid", (tag, identity)
        assert height < A4_HEIGHT, (tag, identity, height)
        assert right <= int(A4_WIDTH) + 1, (tag, identity, right)
    assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"


def test_it_prints_on_a4_with_numbered_pages(visit, sample_page):
    pdf = visit(sample_page).pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[([\d. ]+)\]", pdf)
    assert 8 <= len(boxes) <= 20
    for box in boxes:
        assert [float(x) for x in box.split()] == pytest.approx([0, 0, 595.0, 842.0], abs=1.5)


def test_verdicts_are_told_by_a_word_and_a_sign_not_by_colour_alone(visit, sample_page):
    page = visit(sample_page)
    badges = page.evaluate("[...document.querySelectorAll('.badge')].map(e => e.innerText.trim())")
    assert len(badges) > 30
    assert all(re.fullmatch(r"[✓!✕?]\s*\S.*", badge) for badge in badges)


def test_a_number_is_two_clicks_from_its_formula_and_its_manual_page(visit, sample_page):
    page = visit(sample_page)
    page.click("#tail thead a.note")
    note = page.locator(":target")
    assert "VaR_c: the loss exceeded" in note.inner_text()
    assert "docs/mathematics.md, “Value at risk and expected shortfall”" in note.inner_text()
    assert page.evaluate("getComputedStyle(document.querySelector(':target')).backgroundColor") == "rgb(251, 239, 210)"
