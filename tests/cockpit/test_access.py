"""Readable for everybody: names, labels, headings, contrast, narrow screens, and what a screen reader is told."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.cockpit.test_page import NEAR, OVER, UNKNOWN, halted

HERE = Path(__file__).parent
LONG = "A_SYMBOL_THAT_NOBODY_CAN_READ_AT_ONCE_AND_THAT_HAS_NO_PLACE_TO_BREAK_0123456789"

NAMELESS = (HERE / "nameless.js").read_text(encoding="utf-8")
CONTRASTS = (HERE / "contrasts.js").read_text(encoding="utf-8")


def crowded(server, state):
    """Tell a state in which everything is there at once."""
    order = {
        "order_id": "s9", "strategy_id": "trend", "symbol": "EURUSD", "side": "buy", "quantity": 1e5, "filled": 0.0,
        "state": "released", "reducing": True, "expires_at": None,
    }  # fmt: skip
    verdicts = [
        {**state["decisions"][0], "sequence": 900 + i, "verdict": verdict, "reason": "var"}
        for i, verdict in enumerate(("approved", "cut", "rejected"))
    ]
    server.publish(
        uses=[NEAR, UNKNOWN, OVER], orders=[order], decisions=verdicts, pending=1,
        server={**state["server"], "dry_run": True, "sample": "the opening book", "ready_reasons": ["cold"]},
        strategies=[{**state["strategies"][0], "strategy_id": f"s{i}", "status": status, "severity": severity}
                    for i, (status, severity) in enumerate([("enabled", "warning"), ("disabled", "liquidate")])],
    )  # fmt: skip


def test_everything_has_a_name_and_the_page_its_landmarks(live, server, state):
    page = live()
    crowded(server, state)
    expect(page.locator("#orders tr")).to_have_count(1)
    assert page.evaluate(NAMELESS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("trading", ["active", "reducing", "halted"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(live, server, state, scheme, trading, watched):
    watched.expected = ("ERR_",)
    page = live(scheme=scheme)
    crowded(server, state)
    server.publish(trading_state=trading, scopes=halted())
    expect(page.locator("html")).to_have_attribute("data-state", trading)
    expect(page.locator("#stress tr")).to_have_count(2)
    seen = page.evaluate(CONTRASTS)
    assert len(seen) > 100
    assert [one for one in seen if one[0] < 4.5] == []

    page.locator("#reset").check()
    server.stop()
    expect(page.locator("html")).to_have_attribute("data-connection", "lost")
    assert [one for one in page.evaluate(CONTRASTS) if one[0] < 4.5] == []


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1440])
def test_no_width_makes_the_page_scroll_sideways(live, server, state, width):
    page = live(width=width)
    crowded(server, state)
    book = [{**state["positions"][0], "symbol": LONG, "strategy_id": LONG}, *state["positions"]]
    lines = [{**state["decisions"][0], "sequence": 950, "symbol": LONG, "text": LONG, "strategy_id": LONG}]
    server.publish(
        positions=book, decisions=lines, halted=LONG, trading_state="halted",
        strategies=[{**state["strategies"][0], "strategy_id": LONG, "reason": LONG}],
        scopes=[{"scope": LONG, "severity": "halt", "reasons": [LONG]}],
    )  # fmt: skip
    expect(page.locator("#decisions")).to_contain_text(LONG)
    expect(page.locator("#stress tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = """() => [...document.querySelectorAll(".panel")].filter(one => one.scrollWidth > one.clientWidth)
        .map(one => `${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""
    assert page.evaluate(wide) == []


def test_the_focus_is_seen_wherever_it_goes(live):
    page = live()
    visited = []
    for _ in range(40):
        page.keyboard.press("Tab")
        found = page.evaluate("""() => {
            const one = document.activeElement, style = getComputedStyle(one);
            return [one.id || one.textContent.trim(), style.outlineStyle, parseFloat(style.outlineWidth)];
        }""")
        if page.evaluate("document.activeElement === document.body"):  # once around
            break
        visited.append(found[0])
        assert found[1] != "none", found
        assert found[2] >= 2, found
    assert {"scope", "severity", "name", "reason", "key", "ask", "trip"} <= set(visited)


def test_a_halt_is_told_at_once_and_a_decision_politely(live, server, state):
    page = live()
    assert page.locator("#assertive").get_attribute("role") == "alert"
    assert page.locator("#polite").get_attribute("role") == "status"
    expect(page.locator("#polite")).to_contain_text("Trading is ACTIVE")
    newer = {**state["decisions"][-1], "sequence": 999, "side": "buy", "requested": 1e5, "symbol": "EURUSD",
             "verdict": "rejected", "text": "VaR would be over its limit"}  # fmt: skip
    server.publish(decisions=[*state["decisions"], newer])
    expect(page.locator("#polite")).to_have_text(
        "1 new decision: buy 100,000 EURUSD rejected, VaR would be over its limit"
    )
    server.publish(trading_state="reducing", scopes=halted())
    expect(page.locator("#assertive")).to_have_text(
        "Trading is REDUCING. account: HALT – operator: fat finger (A. Person)"
    )
