import pytest
from drawn_village import VILLAGE
from playwright.sync_api import expect


@pytest.fixture
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def phone(drawn, watched, live_url):
    watched.goto(f"{live_url}/map/{VILLAGE}")
    watched.wait_for_selector("html[data-map=ready]")
    return watched


def test_nothing_is_wider_than_the_phone(phone, language):
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    phone.locator(".sheet-handle").tap()
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert phone.faults == []


def test_the_map_has_the_screen_until_the_sheet_is_asked_for(phone):
    expect(phone.locator(".panel-scroll")).to_be_hidden()
    phone.locator(".sheet-handle").tap()
    expect(phone.locator("input[name=tier][value=red]")).to_be_visible()
    phone.locator(".sheet-handle").tap()
    expect(phone.locator(".panel-scroll")).to_be_hidden()


def test_what_a_finger_must_hit_is_44_pixels_high(phone):
    phone.locator(".sheet-handle").tap()
    small = phone.evaluate(
        """() => [...document.querySelectorAll('button, summary, .legend label, .crumbs a, .search input')]
        .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
        .map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == []


def test_a_grid_opens_as_a_card_at_the_bottom(phone):
    phone.locator(".pill", has_text="001").tap()
    card = phone.locator(".grid-card")
    expect(card).to_contain_text("4 户")
    box = card.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert box["y"] > 844 / 3
    card.locator(".close").tap()
    expect(card).to_be_hidden()
