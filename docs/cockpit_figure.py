"""Draw the cockpit: start the service of the sample, let it decide a few signals, and take a picture of its page.

python docs/cockpit_figure.py                           writes docs/cockpit.png, wide, light and calm
python docs/cockpit_figure.py -o FILE --width 390 --dark --trip
                                                        a telephone in the dark, after an operator has tripped
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
HEIGHTS = {True: 1160, False: 844}
"""Of a wide picture and of a telephone, in pixels."""

COLOURS = 256

SIGNALS = (
    ("carry_fx", "EURJPY", "buy", 142.5, 30_000, 140.9),
    ("equity_long_short", "XOM", "buy", 104.5, 4_000, 101.0),
    ("trend_fx", "EURUSD", "buy", 1.0640, 100_000, 1.0500),
    ("equity_long_short", "WMT", "sell", 139.0, 1_500, 143.0),
    ("trend_fx", "GBPUSD", "buy", 1.4000, 50_000, 1.1900),
    ("equity_long_short", "MSFT", "buy", 231.0, 9_000, 222.0),
    ("trend_fx", "USDJPY", "sell", 133.9, 90_000, 135.5),
    ("equity_long_short", "TSLA", "buy", 112.0, 500, 105.0),
    ("carry_fx", "NZDUSD", "buy", 0.6290, 80_000, 0.6200),
)
"""Of strategies of the sample book: symbol, side, entry, quantity, stop."""


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", default=str(HERE / "cockpit.png"))
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--trip", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        own = {"XDG_CONFIG_HOME": f"{home}/config", "XDG_STATE_HOME": f"{home}/state"}
        server = subprocess.Popen(
            [sys.executable, "-m", "rpmcore", "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, cwd=home,
            env={**os.environ, **own},
        )  # fmt: skip
        try:
            url = _address(server)
            _decide(url)
            _draw(url, asked, Path(home) / "state" / "rpmcore" / "sample-operator.key")
        finally:
            server.terminate()
            server.communicate()


def _address(server: "subprocess.Popen[str]") -> str:
    said = ""
    for line in server.stderr or ():
        said += line
        found = re.search(r"Listening on (http://\S+)", line)
        if found:
            return found[1]
    raise SystemExit(f"the service did not start: {said}")


def _post(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - our own service
        f"{url}/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _decide(url: str) -> None:
    for number, (strategy, symbol, side, entry, quantity, stop) in enumerate(SIGNALS, 1):
        signal = {
            "signal_id": f"S{number:03d}", "strategy_id": strategy, "symbol": symbol, "side": side,
            "entry": entry, "quantity": float(quantity), "stop": stop,
        }  # fmt: skip
        decision = _post(url, "decisions", signal)
        if decision["approved"] and number % 2:
            _post(url, "releases", {"signal_id": signal["signal_id"], "signature": decision["signature"]})


def _draw(url: str, asked: argparse.Namespace, key: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": asked.width, "height": HEIGHTS[asked.width > 800]},
            color_scheme="dark" if asked.dark else "light", reduced_motion="reduce",
        )  # fmt: skip
        page.goto(url)
        page.wait_for_selector("html[data-connection=live]")
        page.wait_for_function(f"document.querySelectorAll('#decisions tr').length === {len(SIGNALS)}")
        page.wait_for_selector("#stress tr")
        if asked.trip:
            _trip(page, key.read_text().strip())
        page.screenshot(path=asked.o, full_page=asked.width <= 800, animations="disabled")
        browser.close()
    # A page has few colours: a palette of them takes a third of the bytes, and looks the same.
    with Image.open(asked.o) as picture:
        picture.convert("RGB").quantize(COLOURS).save(asked.o, optimize=True)


def _trip(page: Page, key: str) -> None:
    page.fill("#name", "A. Person")
    page.fill("#reason", "orders of a strategy that nobody started")
    page.fill("#key", key)
    page.click("#ask")
    page.click("#go")
    page.wait_for_selector("html[data-state=reducing]")
    page.wait_for_selector("#answer[data-kind=done]")


if __name__ == "__main__":
    main()
