import pytest
from drawn_village import NOW, save_drawn_village
from signed_in import TOKEN


@pytest.fixture
def drawn(session, app):
    """Store the drawn village and stop the application's clock at its time."""
    save_drawn_village(session)
    session.commit()
    app.config["CLOCK"] = lambda: NOW


@pytest.fixture
def watched(page):
    """Return the page with lists of what must stay empty: console errors, script errors, requests to other hosts."""
    page.faults = []
    page.on("console", lambda message: message.type in ("error", "warning") and page.faults.append(message.text))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda request: _is_foreign(request.url) and page.faults.append(request.url))
    page.on("response", lambda answer: answer.status >= 400 and page.faults.append(f"{answer.status} {answer.url}"))
    return page


def _is_foreign(url):
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


@pytest.fixture
def context(context):
    """Sign the browser in as the reader."""
    context.add_cookies([{"name": "mapgrid", "value": TOKEN, "domain": "127.0.0.1", "path": "/"}])
    return context


@pytest.fixture(params=["zh-CN", "en-GB"])
def language(request):
    return request.param


@pytest.fixture
def browser_context_args(browser_context_args, request):
    """Speak Chinese unless the test asks for a language."""
    chosen = request.getfixturevalue("language") if "language" in request.fixturenames else "zh-CN"
    return {**browser_context_args, "locale": chosen, "timezone_id": "Europe/Lisbon"}
