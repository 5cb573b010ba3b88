"""The page of a job keeps itself true, on a desk and on a phone, in both languages."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import text
from stored_village import CODE, store_village

from geodata.jobs import add_job, load_job
from mapgrid.jobs import JobKind, JobState
from web import jobs

_ASKED = {"min": 50, "max": 100, "target": 75, "seed": 0, "starts_on": "2026-03-05"}
_WORDS = {
    "zh-CN": ("排队等候", "已完成", "222 户", "已取消"),
    "en-GB": ("Waiting for its turn", "Done", "222 households in 3 grids", "Cancelled"),
}


@pytest.fixture
def template(filled):
    return filled("jobs", store_village)


@pytest.fixture
def number(session, live_url):
    """Return the number of a division that waits for its turn."""
    reader = session.scalar(text("SELECT id FROM account WHERE login = 'reader'"))
    added = add_job(session, JobKind.DIVIDE, CODE, _ASKED, account_id=reader)
    session.commit()
    return added


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_tells_the_end_by_itself(watched, live_url, database_url, number, language, width):
    waits, done, outcome, _ = _WORDS[language]
    watched.set_viewport_size({"width": width, "height": 844})
    watched.goto(f"{live_url}/jobs/{number}")
    expect(watched.locator("[data-tell=standing]")).to_have_text(waits)
    jobs.run(database_url, number)
    expect(watched.locator("[data-tell=standing]")).to_have_text(done)
    expect(watched.locator("[data-tell=outcome]")).to_contain_text(outcome)
    expect(watched.locator("[data-cancel]")).to_be_hidden()
    assert watched.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert watched.faults == []


def test_a_job_that_waits_is_cancelled_on_its_page(watched, live_url, session, number, language):
    watched.goto(f"{live_url}/jobs/{number}")
    watched.locator("[data-cancel] button").click()
    expect(watched.locator("[data-tell=standing]")).to_contain_text(_WORDS[language][3])
    assert load_job(session, number).state == JobState.CANCELLED
    assert watched.faults == []
