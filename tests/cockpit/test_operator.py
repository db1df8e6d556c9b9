"""Trip and reset through the page: what is asked, what is told, and that the keyboard is enough."""

import pytest
from playwright.sync_api import expect


def fill(page, *, reason="fat finger", key="right"):
    page.locator("#name").fill("A. Person")
    page.locator("#reason").fill(reason)
    page.locator("#key").fill(key)


def test_the_keyboard_alone_trips(live, server):
    page = live()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to trip and reset"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#trip")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    for text in ("A. Person", "fat finger", "right"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#confirm")).to_be_visible()
    expect(page.locator("#go")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_have_text(
        "Done: trip halt of account by A. Person, recorded as command 7. Trading is REDUCING."
    )
    ((path, body),) = server.posted
    assert path == "/v1/operator/trip"
    assert len(body.pop("request_id")) == 32
    assert body == {
        "operator": "A. Person", "reason": "fat finger", "scope": "account", "value": "halt", "measure_anew": False,
    }  # fmt: skip


def test_the_consequence_is_named_before_anything_is_sent(live, server):
    page = live()
    fill(page)
    page.locator("#severity").select_option("liquidate")
    page.locator("#ask").click()
    expect(page.locator("#confirm-title")).to_have_text("Trip the account: liquidate?")
    expect(page.locator("#confirm-text")).to_contain_text("its positions are to be flattened")
    page.keyboard.press("Escape")
    expect(page.locator("#confirm")).to_be_hidden()
    expect(page.locator("#ask")).to_be_focused()
    assert server.posted == []


def test_a_reset_has_to_be_chosen_and_says_what_it_accepts(live, server):
    server.answers = [(200, {"sequence": 8, "trading_state": "active"})]
    page = live()
    page.locator("#reset").check()
    expect(page.locator("#severity")).to_be_hidden()
    page.locator("#scope").select_option("trend")
    page.locator("#anew").check()
    fill(page, reason="order was cancelled, checked")
    page.locator("#ask").click()
    expect(page.locator("#back")).to_be_focused()
    expect(page.locator("#confirm-text")).to_contain_text("What was lost until now is accepted")
    page.locator("#go").click()
    expect(page.locator("#answer")).to_contain_text("Trading is ACTIVE")
    ((path, body),) = server.posted
    assert path == "/v1/operator/reset"
    assert (body["scope"], body["value"], body["measure_anew"]) == ("trend", "", True)


def test_a_reset_does_not_promise_to_end_halted(live, server):
    page = live()
    server.publish(trading_state="halted", halted="the disk is full")
    expect(page.locator("#state")).to_have_text("■ HALTED")
    page.locator("#reset").check()
    fill(page)
    page.locator("#ask").click()
    expect(page.locator("#confirm-text")).to_contain_text("trading stays HALTED until rpm gate clear-integrity")


def test_a_wrong_key_is_told_and_what_was_written_stays(live, server, watched):
    watched.expected = ("401",)
    page = live()
    fill(page, key="wrong")
    page.locator("#ask").click()
    page.locator("#go").click()
    expect(page.locator("#answer")).to_have_text("Refused. The key is not known: no key of this server has that value")
    expect(page.locator("#reason")).to_have_value("fat finger")
    assert server.posted == []


def test_the_key_and_the_reason_are_gone_after_an_order(live):
    page = live()
    fill(page)
    page.locator("#ask").click()
    page.locator("#go").click()
    expect(page.locator("#answer")).to_contain_text("Done")
    expect(page.locator("#key")).to_have_value("")
    expect(page.locator("#reason")).to_have_value("")
    expect(page.locator("#name")).to_have_value("A. Person")


@pytest.mark.parametrize("field", ["name", "reason", "key"])
def test_nothing_is_asked_without_name_reason_and_key(live, server, field):
    page = live()
    fill(page)
    page.locator(f"#{field}").fill("   ")
    page.locator("#ask").click()
    expect(page.locator(f"#{field}")).to_be_focused()
    expect(page.locator("#confirm")).to_be_hidden()
    assert server.posted == []


def test_the_same_words_asked_again_are_the_same_request(live, server, watched):
    watched.expected = ("503", "409")
    server.answers = [
        (503, ("Not now", "the queue is full")),
        (409, ("Conflict", "no such scope")),
        (200, {"sequence": 9}),
    ]
    page = live()
    fill(page)
    for told in ("Refused. Not now: the queue is full", "Refused. Conflict: no such scope", "recorded as command 9"):
        page.locator("#ask").click()
        page.locator("#go").click()
        expect(page.locator("#answer")).to_contain_text(told)
    fill(page)
    page.locator("#ask").click()
    page.locator("#go").click()
    expect(page.locator("#reason")).to_have_value("")
    ids = [body["request_id"] for _, body in server.posted]
    assert len(ids) == 4
    assert len(set(ids[:3])) == 1
    assert ids[3] != ids[0]


def test_no_answer_is_told_as_not_known(live, server, watched):
    watched.expected = ("ERR_",)
    page = live()
    fill(page)
    server.stop()
    expect(page.locator("html")).to_have_attribute("data-connection", "lost")
    page.locator("#ask").click()
    page.locator("#go").click()
    expect(page.locator("#answer")).to_contain_text("it is not known whether it was carried out")
    expect(page.locator("#key")).to_have_value("right")
