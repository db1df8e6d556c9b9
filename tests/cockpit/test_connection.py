"""What is old never looks live: silence, a dead server, one that stands still, and a key that is asked for."""

from playwright.sync_api import expect

from tests.cockpit.told_server import told_server

HTML = "html"


def connection(page, how):
    expect(page.locator(HTML)).to_have_attribute("data-connection", how)


def banner_colour(page):
    return page.locator(".state").evaluate("element => getComputedStyle(element).backgroundColor")


def test_a_server_that_dies_leaves_an_old_page_and_comes_back_live(live, server, state, watched):
    watched.expected = ("Failed to load resource", "ERR_")
    page = live()
    green = banner_colour(page)
    server.stop()
    connection(page, "lost")
    expect(page.locator("#stale")).to_contain_text("Connection lost since")
    expect(page.locator("#stale")).to_contain_text("What you see is")
    expect(page.locator("#state-label")).to_have_text("Trading was")
    expect(page.locator("#state-means")).to_have_text("What it is now cannot be told from here.")
    expect(page.locator("#connection")).to_have_text("Not live")
    expect(page).to_have_title("not live – ACTIVE – rpm")
    expect(page.locator("#assertive")).to_contain_text("What you see is old")
    assert banner_colour(page) != green

    later = {**state, "trading_state": "reducing", "published_at": "2026-03-02T09:45:00+00:00"}
    with told_server(later, None, port=server.port):
        connection(page, "live")
        expect(page.locator("#state")).to_have_text("▲ REDUCING")
        expect(page.locator("#state-means")).to_have_text("Only orders that reduce risk are let through.")
        expect(page.locator("#stale")).to_be_hidden()
        expect(page.locator("#assertive")).to_contain_text("Trading is REDUCING")


def test_a_server_that_says_nothing_is_not_live(live, server):
    page = live()
    server.silent = True
    connection(page, "lost")
    expect(page.locator("#stale")).to_contain_text("The server says nothing")
    server.silent = False
    connection(page, "live")


def test_a_server_that_repeats_an_old_state_is_not_live(server, watched):
    page = watched.open("about:blank")
    page.clock.install()
    page.goto(server.url)
    connection(page, "live")
    for _ in range(4):  # in steps shorter than the silence that would end the connection
        page.clock.fast_forward(4000)
        expect(page.locator("#connection")).not_to_be_empty()
    connection(page, "lost")
    expect(page.locator("#stale")).to_contain_text("repeats an old state")
    server.publish(published_at="2026-03-02T09:31:00+00:00")
    connection(page, "live")


def test_a_page_that_never_had_a_state_says_so(server, watched):
    server.state = None
    page = watched.open(server.url)
    expect(page.locator("#stale")).to_contain_text("No connection.")
    connection(page, "waiting")
    assert page.locator("#state").inner_text() == "…"


def keys_of(page):
    return page.evaluate(
        "() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), location.href, document.cookie]"
    )


def test_a_key_is_asked_for_and_kept_nowhere_unless_the_user_says_so(server, watched):
    watched.expected = ("401",)
    server.key = "s3cret"
    page = watched.open(server.url)
    expect(page.locator("#read-key")).to_be_focused()
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-problem")).to_contain_text("A key is needed")
    connection(page, "locked")

    page.locator("#read-key").fill("s3cret")
    page.keyboard.press("Enter")
    connection(page, "live")
    expect(page.locator("#gate-key")).to_be_hidden()
    assert "s3cret" not in "".join(keys_of(page))
    assert not [path for path in server.asked if "s3cret" in path]

    page.reload()
    page.locator("#read-key").fill("s3cret")
    page.locator("#keep-key").check()
    page.keyboard.press("Enter")
    connection(page, "live")
    local, session, href, cookie = keys_of(page)
    assert "s3cret" in session
    assert "s3cret" not in local + href + cookie
    page.reload()
    connection(page, "live")


def test_a_key_that_is_withdrawn_leaves_an_old_page(server, watched):
    watched.expected = ("401",)
    server.key = "s3cret"
    page = watched.open(server.url)
    page.locator("#read-key").fill("s3cret")
    page.keyboard.press("Enter")
    connection(page, "live")
    server.key, server.state = "another", None
    with server.changed:
        server.changed.notify_all()
    connection(page, "locked")
    expect(page.locator("#stale")).to_contain_text("What you see is")
    expect(page.locator("#gate-key")).to_be_visible()
