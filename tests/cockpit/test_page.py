"""What the page shows of a state, and that nothing in a state is more than text."""

import re

import pytest
from playwright.sync_api import expect

from tests.cockpit.told_server import STATIC

MARKUP = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'
OVER = {"name": "value_at_risk", "observed": 0.025, "limit": 0.02, "utilisation": 1.25}
UNKNOWN = {
    "name": "volatility", "observed": None, "observed_reason": "too little history", "limit": 0.25,
    "utilisation": None, "utilisation_reason": "too little history",
}  # fmt: skip
NEAR = {"name": "gross_exposure", "observed": 1.7, "limit": 2.0, "utilisation": 0.85}
CALM = {"name": "net_exposure", "observed": 0.1, "limit": 1.0, "utilisation": 0.1}


def halted(scope="account"):
    return [{"scope": scope, "severity": "halt", "reasons": ["operator: fat finger (A. Person)"]}]


def cells(page, table):
    return page.locator(f"#{table} tr").evaluate_all("rows => rows.map(row => row.innerText)")


def test_the_first_look_says_whether_trading_is_on(live, server):
    page = live()
    expect(page.locator("#state")).to_have_text("● ACTIVE")
    expect(page).to_have_title("ACTIVE – rpm")
    expect(page.locator("#connection")).to_contain_text("Live · state of 09:30:00 UTC")

    server.publish(trading_state="reducing", scopes=halted())
    expect(page.locator("#state")).to_have_text("▲ REDUCING")
    expect(page.locator("#state-means")).to_have_text("Only orders that reduce risk are let through.")
    expect(page.locator("#why li").first).to_have_text("account: HALT – operator: fat finger (A. Person)")

    server.publish(trading_state="halted", halted="2026-03-02 09:31: the disk is full")
    expect(page.locator("#state")).to_have_text("■ HALTED")
    expect(page.locator("#why li").first).to_contain_text("the disk is full")
    expect(page).to_have_title("HALTED – rpm")


def test_limits_stand_by_their_use_and_what_is_not_known_comes_first(live, server):
    page = live()
    server.publish(uses=[CALM, NEAR, UNKNOWN, OVER])
    expect(page.locator("#limits tr")).to_have_count(4)
    rows = cells(page, "limits")
    assert [row.split("\n")[0].split("\t")[0] for row in rows] == ["Volatility, a year", "VaR, one day", "Gross", "Net"]
    assert "too little history" in rows[0]
    assert "over its limit" in rows[1]
    assert "125" in rows[1]
    assert "near its limit" in rows[2]
    assert "limit" not in rows[3]
    expect(page.locator("#nearest")).to_have_text("Volatility, a year: not known")
    widths = page.locator("#limits .fill").evaluate_all("fills => fills.map(fill => fill.style.width)")
    assert widths == ["100%", "100%", "85%", "10%"]


def test_decisions_the_newest_first_with_reasons(live, state):
    page = live()
    expect(page.locator("#decisions tr")).to_have_count(len(state["decisions"]))
    rows = cells(page, "decisions")
    for row, one in zip(rows, reversed(state["decisions"]), strict=True):
        assert one["verdict"] in row
        assert one["text"] in row
        assert one["symbol"] in row
    refused = [one for one in state["decisions"] if one["verdict"] == "rejected"][-1]
    expect(page.locator("#refused-more")).to_contain_text(refused["text"])


def test_the_book_with_weights_and_risk_shares(live, state):
    page = live()
    expect(page.locator("#book tr")).to_have_count(len(state["positions"]))
    first = cells(page, "book")[0]
    assert state["positions"][0]["symbol"] in first
    assert "+60.0\u202f%" in first
    assert "−5.0\u202f%" in cells(page, "book")[1]
    assert page.locator("#book .risk .fill").nth(1).get_attribute("data-sign") == "minus"


def test_crises_with_loss_and_verdict(live):
    page = live()
    expect(page.locator("#stress tr")).to_have_count(2)
    worst, next_ = cells(page, "stress")
    assert "COVID crash, 2020" in worst
    assert "failed" in worst
    assert "loss 21.7% > 15.0%" in worst
    assert "passed" in next_


def test_crises_that_cannot_be_computed_say_why(live, server, watched):
    server.stress, watched.expected = None, ("503",)
    page = live()
    expect(page.locator("#stress-note")).to_have_text("Not computed: Not now: the book has no prices")


@pytest.mark.parametrize("field", ["ready_reasons", "reload_problem", "pending"])
def test_what_somebody_must_act_on_is_a_notice(live, server, state, field):
    told = {
        "ready_reasons": {"ready": False, "ready_reasons": ["kernels are cold"]},
        "reload_problem": {field: "key 'x'"},
    }
    page = live()
    if field == "pending":
        server.publish(pending=2)
    else:
        server.publish(server={**state["server"], **told[field]})
    words = {"ready_reasons": "Not ready: kernels are cold", "reload_problem": "key 'x'", "pending": "2 requests"}
    expect(page.locator("#notices")).to_contain_text(words[field])


def test_a_dry_run_and_a_sample_are_badges(live, server, state):
    page = live()
    expect(page.locator("#badges li")).to_have_count(0)
    server.publish(server={**state["server"], "dry_run": True, "sample": "the opening book"})
    expect(page.locator("#badges")).to_contain_text("dry run")
    expect(page.locator("#badges")).to_contain_text("sample")
    expect(page.locator("#server")).to_contain_text("the opening book")


def test_markup_in_what_others_name_is_text(live, server, state):
    state["positions"][0]["symbol"] = MARKUP
    for one in state["decisions"]:
        one.update(symbol=MARKUP, text=MARKUP, strategy_id=MARKUP)
    state["strategies"][0].update(strategy_id=MARKUP, reason=MARKUP)
    order = {"order_id": MARKUP, "strategy_id": MARKUP, "symbol": MARKUP, "side": "buy", "quantity": 1.0, "filled": 0.0,
             "state": "released", "reducing": False, "expires_at": None}  # fmt: skip
    server.state = state
    page = live()
    server.publish(
        orders=[order], scopes=[{"scope": MARKUP, "severity": "halt", "reasons": [MARKUP]}], halted=MARKUP,
        server={**state["server"], "sample": MARKUP, "reload_problem": MARKUP},
    )  # fmt: skip
    expect(page.locator("#orders")).to_contain_text("<script>")
    assert page.locator("img, main script").count() == 0
    assert "owned" not in page.title()
    assert page.locator("#scope option").last.get_attribute("value") == MARKUP


def test_a_state_that_cannot_be_shown_is_not_shown_as_live(live, server):
    page = live()
    server.publish(uses=None)
    expect(page.locator("html")).to_have_attribute("data-connection", "lost")
    expect(page.locator("#stale")).to_contain_text("cannot be shown")


def test_an_update_moves_neither_focus_nor_words_nor_rows(live, server, state):
    page = live()
    page.locator("#reason").fill("half a sen")
    page.locator("#decisions").evaluate("body => { body.rows[0].marked = 'the same'; }")
    newer = {**state["decisions"][-1], "sequence": 999, "symbol": "NEWEST"}
    server.publish(decisions=[*state["decisions"][1:], newer], trading_state="reducing", scopes=halted())
    expect(page.locator("#decisions tr").first).to_contain_text("NEWEST")
    expect(page.locator("#reason")).to_be_focused()
    expect(page.locator("#reason")).to_have_value("half a sen")
    assert page.locator("#decisions").evaluate("body => body.rows[1].marked") == "the same"
    assert page.locator("#decisions tr").count() == len(state["decisions"])


def test_events_are_read_as_the_standard_says(live):
    page = live()
    read = """async pieces => {
        const { EventReader } = await import("/static/stream.js");
        const reader = new EventReader();
        return pieces.flatMap(piece => reader.take(piece));
    }"""
    pieces = [
        "event: sta",
        "te\r",
        "\ndata: a\ndata:b\u2028c\r\n",
        ": still here\n",
        "id: 4\n\n",
        "data\n\n",
        "event: x\n\n",
        "data: cut",
    ]
    assert page.evaluate(read, pieces) == [
        {"name": "state", "data": "a\nb\u2028c"},
        {"name": "message", "data": ""},
    ]


WRITES_MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b"
KEEPS = r"localStorage|indexedDB|document\.cookie"
ELSEWHERE = r"(?:https?:)?//[a-z0-9-]+\.[a-z]|@import|url\("


@pytest.mark.parametrize("file", sorted(path.name for path in STATIC.iterdir()))
def test_its_files_write_no_markup_keep_nothing_and_name_no_other_host(file):
    text = (STATIC / file).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.findall(f"{WRITES_MARKUP}|{KEEPS}|{ELSEWHERE}", text) == []
    if file.endswith(".html"):
        assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", text) == []
