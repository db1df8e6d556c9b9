"""Take the picture of the report in the manual: three parts of the page that ``rpm report`` makes of the sample.

python docs/report_figure.py        writes docs/report.png; needs Chromium and the packages of the extra ``dev``
"""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import sync_playwright

from rpmcore.report_job import make_report

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = "/usr/bin/chromium"
WIDTH, HEIGHT, GAP, EDGE = 1000, 1450, 10, "#9aa5b1"
PARTS = ("header", "#history", "#correlation")
"""Where the columns of the picture begin."""

COLOURS = 200
"""Of the palette: a page of text and flat bars looks the same in a quarter of the bytes."""


def picture() -> bytes:
    """Return the picture as PNG."""
    made = make_report(ROOT / "data" / "portfolio.parquet", trades=ROOT / "data" / "trades.parquet")
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = Path(folder) / "report.html"
        page_file.write_bytes(made.page)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(page_file.as_uri())
        parts = []
        for begins in PARTS:
            page.locator(begins).evaluate("e => window.scrollTo({top: e.offsetTop - 24, behavior: 'instant'})")
            parts.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        browser.close()
    whole = Image.new("RGB", (len(parts) * (WIDTH + GAP) - GAP, HEIGHT), EDGE)
    for number, part in enumerate(parts):
        whole.paste(part, (number * (WIDTH + GAP), 0))
    written = io.BytesIO()
    whole.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    (ROOT / "docs" / "report.png").write_bytes(picture())
