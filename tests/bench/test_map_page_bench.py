"""How long the map of a real village takes in Chromium, and how large it is, beside the limits."""

import statistics

import pytest

_MOST_MS = 1_500
_MOST_BYTES = 1_500_000


@pytest.mark.bench
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_ruggell_is_ready_in_time(demo_live_url, page, capsys, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    times, sizes = [], []
    for _ in range(5):
        page.goto(f"{demo_live_url}/map/990101102201")
        page.wait_for_selector("html[data-map=ready]")
        times.append(page.evaluate("performance.getEntriesByName('map-ready')[0].startTime"))
        sizes.append(page.evaluate("performance.getEntriesByType('navigation')[0].decodedBodySize"))
    ready, weight = statistics.median(times), max(sizes)
    with capsys.disabled():
        print(  # noqa: T201 -- what a bench is for
            f"\nRuggell at {size[0]} px: ready in {ready:.0f} ms ({ready / _MOST_MS:.2f} of the limit; "
            f"{min(times):.0f}–{max(times):.0f}), page {weight / 1e6:.2f} MB ({weight / _MOST_BYTES:.2f} of the limit)"
        )
    assert ready <= _MOST_MS
    assert weight <= _MOST_BYTES
