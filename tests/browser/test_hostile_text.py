import pytest
from drawn_village import NOW, VILLAGE, household, save_drawn_village
from playwright.sync_api import expect
from sqlalchemy import text

PAYLOADS = [
    "<script>window.X=1</script>",
    "${window.X=1}",
    "`${window.X=1}`",
    "C:\\path\\2019",
    "\"'><img src=x onerror=window.X=1>",
    "</script><script>window.X=1</script>",
    "{{ 7*7 }}{% raw %}",
    "\u202egnp.exe\u2066",
    "\\u0060${window.X=1}",
    "<svg/onload=window.X=1>",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_stored_text_is_shown_and_never_run(payload, session, app, watched, live_url):
    save_drawn_village(session)
    values = {"payload": payload}
    session.execute(text("UPDATE area SET name = :payload, name_en = :payload, source = :payload"), values)
    session.execute(text("UPDATE household SET address = :payload, reasons = ARRAY[:payload]"), values)
    session.execute(text("UPDATE person SET full_name = :payload"), values)
    session.execute(text("UPDATE staff SET full_name = :payload, phone = :payload"), values)
    session.execute(text("UPDATE case_file SET title = :payload"), values)
    session.execute(text("UPDATE plan SET name = :payload"), values)
    session.execute(text("UPDATE terrain SET name = :payload, detail = 'residential'"), values)
    session.commit()
    app.config["CLOCK"] = lambda: NOW

    watched.goto(f"{live_url}/map/{VILLAGE}#{household(0)}")
    watched.wait_for_selector("html[data-map=ready]")
    expect(watched.get_by_role("heading", level=1)).to_have_text(payload)
    expect(watched.locator(".popup dl")).to_contain_text(payload)
    watched.keyboard.press("Escape")
    watched.locator(".case-pin[data-state=overdue]").click()
    expect(watched.locator(".popup h3")).to_have_text(payload)
    watched.keyboard.press("Escape")
    watched.locator(".pill", has_text="001").click()
    expect(watched.locator(".grid-card dl")).to_be_visible()
    watched.locator(".search input").fill(payload[:20])
    expect(watched.locator(".results")).to_be_visible()
    watched.goto(f"{live_url}/map/{VILLAGE[:6]}")
    watched.wait_for_selector("html[data-map=ready]")
    assert watched.evaluate("window.X") is None
    assert watched.faults == []
