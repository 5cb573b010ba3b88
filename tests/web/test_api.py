"""The JSON API on a drawn village: every route, every answer against its schema, nobody's name in full."""

import json
import re
from pathlib import Path

import pytest
import shapely
from drawn_village import HEADS, NOW, VILLAGE, household, save_drawn_village
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from signed_in import sign_in
from sqlalchemy import event, text

from geodata.counts import count_villages
from geodata.jobs import add_job
from mapgrid.jobs import JobKind
from web.blueprints import api

DESCRIPTION = json.loads((Path(api.__file__).parent.parent / "openapi.json").read_text(encoding="utf-8"))
GRID = f"{VILLAGE}001"
HOSTILE = ["<script>alert(1)</script>", "${window.X=1}", "`", "C:\\path\\2019", '"},{"x":"', "\u202eevil", "=1+1"]
ADDRESSES = {
    "/api/openapi.json": "/api/openapi.json",
    "/api/areas": "/api/areas",
    "/api/areas/{code}": f"/api/areas/{VILLAGE[:9]}",
    "/api/districts/{code}": f"/api/districts/{VILLAGE[:6]}",
    "/api/towns/{code}": f"/api/towns/{VILLAGE[:9]}",
    "/api/villages/{code}": f"/api/villages/{VILLAGE}",
    **{
        f"/api/villages/{{code}}/{layer}": f"/api/villages/{VILLAGE}/{layer}"
        for layer in ("boundary", "grids", "groups", "units", "households", "cases", "terrain")
    },
    "/api/households/{code}": f"/api/households/{household(0)}",
    "/api/grids/{code}": f"/api/grids/{GRID}",
    "/api/cases/{number}": "/api/cases/2026-0003",
    "/api/search": "/api/search?q=画村",
    "/api/jobs/{job}": "/api/jobs/1",
}


@pytest.fixture
def village(app, session):
    """Store the drawn village and let the application's clock stand at the moment for which it was drawn."""
    app.config["CLOCK"] = lambda: NOW
    save_drawn_village(session)
    add_job(session, JobKind.DIVIDE, VILLAGE, {}, account_id=1)
    session.commit()
    return VILLAGE


def _get(client, address, status=200):
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    return answer.json


def _schema_of(path):
    (media,) = DESCRIPTION["paths"][path]["get"]["responses"]["200"]["content"].values()
    return media["schema"]


def _faults(instance, schema):
    whole = {**schema, "components": DESCRIPTION["components"]}
    return [fault.message for fault in OAS31Validator(whole).iter_errors(instance)]


def test_the_description_is_valid_openapi():
    validate(DESCRIPTION)


def test_every_route_is_described_and_every_description_has_its_route(app):
    described = {(path, method) for path, known in DESCRIPTION["paths"].items() for method in known}
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    routes = {
        (re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == described


def test_every_path_has_an_address_to_be_tried():
    readable = {path for path, operations in DESCRIPTION["paths"].items() if "get" in operations}
    assert ADDRESSES.keys() == {
        path for path in readable if not path.startswith("/api/plans") and "{token}" not in path
    }


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_fits_its_schema_and_may_not_be_cached(client, village, path):
    answer = client.get(ADDRESSES[path])
    assert answer.status_code == 200
    assert answer.mimetype in DESCRIPTION["paths"][path]["get"]["responses"]["200"]["content"]
    assert _faults(answer.json, _schema_of(path)) == []
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ADDRESSES)
def test_no_answer_carries_a_full_name_a_telephone_or_an_identity_number(client, village, path):
    answer = client.get(ADDRESSES[path]).text
    secrets = [*HEADS, "张小红", "许国强", "00012345678", "00099990000", "990101X"]
    secrets += ["id_number"] * (path != "/api/openapi.json")  # which says what is sent for a stated purpose
    assert [secret for secret in secrets if secret in answer] == []


def test_a_schema_refuses_what_is_not_in_it(client, village):
    answer = _get(client, f"/api/grids/{GRID}")
    assert _faults({**answer, "id_number": "1"}, _schema_of("/api/grids/{code}"))
    assert _faults({**answer, "households": "4"}, _schema_of("/api/grids/{code}"))


def test_the_legend_s_figures_equal_those_of_the_database(client, session, village):
    answer = _get(client, f"/api/villages/{village}")
    rows = session.execute(text("SELECT tier, sum(weight) FROM household GROUP BY tier"))
    assert answer["tiers"] == {tier: int(weight) for tier, weight in rows}
    counts = count_villages(session, village, NOW)[village]
    assert (answer["households"], answer["people"]) == (counts.households, counts.people) == (10, 10)
    assert answer["cases"] == dict.fromkeys(counts.cases, 1)
    assert answer["plan"]["name"] == "2026-01"
    assert answer["as_of"] == "2026-03-05T14:02:00+08:00"


def test_layers_and_figures_agree(client, village):
    figures = _get(client, f"/api/villages/{village}")
    grids = _get(client, f"/api/villages/{village}/grids")["features"]
    households = _get(client, f"/api/villages/{village}/households")["features"]
    cases = _get(client, f"/api/villages/{village}/cases")["features"]
    assert sum(grid["properties"]["households"] for grid in grids) == figures["households"]
    assert sum(home["properties"]["weight"] for home in households) == figures["households"]
    assert len(cases) == sum(figures["cases"].values())
    assert {home["properties"]["grid"] for home in households} == {grid["properties"]["code"] for grid in grids}


def test_polygons_turn_counter_clockwise_and_hold_their_households(client, village):
    grids = _get(client, f"/api/villages/{village}/grids")["features"]
    shapes = {grid["properties"]["code"]: shapely.geometry.shape(grid["geometry"]) for grid in grids}
    assert all(part.exterior.is_ccw for shape in shapes.values() for part in shape.geoms)
    for home in _get(client, f"/api/villages/{village}/households")["features"]:
        assert shapes[home["properties"]["grid"]].covers(shapely.geometry.shape(home["geometry"]))


def test_terrain_can_be_asked_for_by_kind(client, village):
    assert len(_get(client, f"/api/villages/{village}/terrain")["features"]) == 2
    roads = _get(client, f"/api/villages/{village}/terrain?kind=road")["features"]
    assert [road["properties"]["kind"] for road in roads] == ["road"]
    assert "kind: expected one of" in _get(client, f"/api/villages/{village}/terrain?kind=cave", 400)["message"]


def test_a_grid_tells_its_figures_and_who_serves_it(client, village):
    grid = _get(client, f"/api/grids/{GRID}")
    assert (grid["households"], grid["groups"], grid["people"]) == (4, 2, 5)
    assert grid["tiers"] == {"red": 1, "yellow": 2, "green": 1, "unknown": 0}
    assert grid["cases"] == {"overdue": 1, "near_due": 1, "whistled": 0, "open": 0, "closed_recently": 1}
    assert [(staff["role"], staff["name"]) for staff in grid["staff"]] == [("liaison", "林**"), ("leader", "许**")]


def test_a_household_tells_why_it_is_red_and_where_it_stands(client, village):
    home = _get(client, f"/api/households/{household(0)}")
    assert (home["tier"], home["reasons"], home["head"]) == ("red", ["serious_dispute"], "张**")
    assert (home["grid"], home["group"], home["unit_name"]) == (GRID, f"{GRID}01", "一组")
    assert [member["name"] for member in home["members"]] == ["张**", "张**"]
    assert home["people"] == 2


def test_a_case_closed_long_ago_can_be_read_but_is_on_no_map(client, village):
    case = _get(client, "/api/cases/2026-0006")
    assert (case["state"], case["map_state"]) == ("closed", None)
    assert case["closed_at"].endswith("+08:00")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("王磊", [("household", household(2), "王**")]),
        ("rita", [("household", household(5), "Rita **")]),
        (household(4), [("household", household(4), "陈**")]),
        ("000005", [("household", household(4), "陈**")]),
        ("一组7号", [("household", household(6), "周**")]),
        (GRID, [("grid", GRID, "001")]),
        ("drawn", [("village", VILLAGE, "画村")]),
        ("%", []),
        ("_", []),
        ("nobody", []),
    ],
)
def test_search_finds_by_code_name_and_address_and_answers_masked(client, village, words, found):
    results = client.get("/api/search", query_string={"q": words}).json["results"]
    assert [(one["kind"], one["code"], one["label"]) for one in results] == found


def test_a_short_number_is_a_grid_first(client, village):
    results = _get(client, "/api/search?q=2")["results"]
    assert [(one["kind"], one["label"]) for one in results] == [("grid", "002"), ("household", "李**")]


@pytest.mark.parametrize(
    ("scopes", "words", "labels"),
    [
        ([("liaison", VILLAGE)], "张伟", ["张**"]),
        ([("liaison", VILLAGE)], "伟", []),
        ([("village_leader", VILLAGE)], "伟", ["张**"]),
        ([("planner", VILLAGE)], "张伟", []),
    ],
)
def test_search_tells_no_name_to_who_does_not_see_it(app, village, session, scopes, words, labels):
    sign_in(session, "asks", *scopes)
    session.commit()
    client = app.test_client()
    client.set_cookie("mapgrid", "asks")
    assert [found["label"] for found in _get(client, f"/api/search?q={words}")["results"]] == labels


def test_search_gives_who_sees_no_people_serials_for_names_and_no_address(app, village, session):
    sign_in(session, "draws", ("planner", VILLAGE))
    session.commit()
    client = app.test_client()
    client.set_cookie("mapgrid", "draws")
    found = [one for one in _get(client, "/api/search?q=1")["results"] if one["kind"] == "household"]
    assert found
    assert all(one["label"] == one["code"][12:] and one["detail"] is None for one in found)


def test_people_in_full_are_asked_for_anew_each_time_whatever_the_key(client, app, village, session):
    app.config["WTF_CSRF_ENABLED"] = False
    address = f"/api/households/{household(0)}/unmask"
    for _ in range(2):
        answer = client.post(address, json={"purpose": "visit"}, headers={"Idempotency-Key": "a0b1c2d3-0001"})
        assert (answer.status_code, "Idempotent-Replayed" in answer.headers) == (200, False)
    assert session.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'household.unmask'")) == 2
    assert session.scalar(text("SELECT count(*) FROM kept_answer")) == 0


def test_search_pages_through_everything_once(client, village):
    whole = _get(client, "/api/search?q=画村&limit=50")
    assert whole["total"] == 9
    pages = [_get(client, f"/api/search?q=画村&limit=4&offset={offset}")["results"] for offset in (0, 4, 8)]
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [one["code"] for page in pages for one in page] == [one["code"] for one in whole["results"]]


def test_search_stays_in_the_area_asked_for(client, village):
    assert _get(client, f"/api/search?q=张伟&area={VILLAGE}")["total"] == 1
    assert _get(client, "/api/search?q=张伟&area=990102")["total"] == 0


@pytest.mark.parametrize(
    "query",
    ["", "q=", "q=%20", f"q={'x' * 61}", "q=a%00b", "q=x&limit=0", "q=x&limit=51", "q=x&limit=ten", "q=x&offset=-1"],
)
def test_a_question_that_cannot_be_is_refused_with_what_was_expected(client, village, query):
    answer = _get(client, f"/api/search?{query}", 400)
    assert "expected" in answer["message"]
    assert _faults(answer, {"$ref": "#/components/schemas/Error"}) == []


@pytest.mark.parametrize(
    "address",
    [
        "/api/areas/990102",
        "/api/areas/nonsense",
        f"/api/towns/{VILLAGE[:6]}",
        f"/api/districts/{VILLAGE}",
        "/api/towns/990101999",
        "/api/villages/990101102298",
        *(f"/api/villages/990101102298/{layer}" for layer in ("boundary", "grids", "groups", "units", "households")),
        "/api/villages/990101102298/cases",
        "/api/villages/990101102298/terrain",
        f"/api/households/{VILLAGE}000999",
        "/api/households/%00",
        "/api/households/1",
        f"/api/grids/{VILLAGE}009",
        "/api/grids/x",
        "/api/cases/2026-9999",
        "/api/cases/%00",
        "/api/search?q=x&area=1",
        "/api/nothing",
    ],
)
def test_what_is_not_there_is_not_found_and_said_in_json(client, village, address):
    answer = client.get(address)
    assert answer.status_code == 404, answer.text
    assert answer.mimetype == "application/json"
    assert _faults(answer.json, {"$ref": "#/components/schemas/Error"}) == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_come_back_letter_by_letter_and_only_as_json(client, session, village, hostile):
    session.execute(text("UPDATE household SET address = :hostile"), {"hostile": hostile})
    session.execute(text("UPDATE area SET name = :hostile"), {"hostile": hostile})
    session.execute(text("UPDATE case_file SET title = :hostile"), {"hostile": hostile})
    session.commit()
    assert _get(client, f"/api/households/{household(0)}")["address"] == hostile
    assert _get(client, f"/api/villages/{village}")["name"] == hostile
    assert _get(client, f"/api/villages/{village}/boundary")["features"][0]["properties"]["name"] == hostile
    answer = client.get(f"/api/villages/{village}/cases")
    assert {case["properties"]["title"] for case in answer.json["features"]} == {hostile}
    assert answer.mimetype == "application/geo+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_hostile_head_is_masked_and_breaks_nothing(client, session, village):
    session.execute(text("UPDATE person SET full_name = '<img src=x onerror=alert(1)>' WHERE is_head"))
    session.commit()
    assert _get(client, f"/api/households/{household(0)}")["head"] == "<img **"


def test_a_village_without_a_plan_answers_with_empty_layers(client, session):
    save_drawn_village(session, plan=False)
    session.commit()
    assert _get(client, f"/api/villages/{VILLAGE}")["plan"] is None
    assert _get(client, f"/api/villages/{VILLAGE}/grids")["features"] == []
    assert _get(client, f"/api/villages/{VILLAGE}/groups")["features"] == []
    households = _get(client, f"/api/villages/{VILLAGE}/households")["features"]
    assert [home["properties"]["grid"] for home in households] == [None] * 8
    _get(client, f"/api/grids/{GRID}", 404)


@pytest.mark.parametrize("path", sorted(ADDRESSES.keys() - {"/api/openapi.json"}))
def test_the_number_of_queries_does_not_grow_with_the_rows(app, client, session, village, path):
    statements = []
    event.listen(app.extensions["engine"], "before_cursor_execute", lambda *told: statements.append(told[2]))
    client.get(ADDRESSES[path])
    before = len(statements)
    _add_people_and_cases(session)
    statements.clear()
    client.get(ADDRESSES[path])
    assert len(statements) == before
    assert 1 <= before <= 12


def _add_people_and_cases(session):
    session.execute(
        text(
            "INSERT INTO household (code, village_code, address, place)"
            " SELECT :village || lpad((100 + n)::text, 6, '0'), :village, '画村', place FROM household,"
            " generate_series(1, 50) n WHERE code = :first"
        ),
        {"village": VILLAGE, "first": household(0)},
    )
    session.execute(
        text(
            "INSERT INTO case_file (number, village_code, category, level, state, title, place, reported_at, due_at)"
            " SELECT '2027-' || n, village_code, category, level, 'assigned', title, place, reported_at, due_at"
            " FROM case_file, generate_series(1, 50) n WHERE number = '2026-0001'"
        )
    )
    session.execute(
        text("INSERT INTO area (code, parent_code, level, name) VALUES ('990101103', '990101', 'town', '镇')")
    )
    session.commit()


def test_nothing_can_be_changed_without_the_token_of_a_form(app, client):
    unsafe = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods and "code" in rule.arguments]
    assert unsafe
    for rule in unsafe:
        assert client.post(rule.rule.replace("<code>", household(0))).status_code == 400
    assert client.post(f"/api/villages/{VILLAGE}").status_code == 405
