"""Plans over HTTP: every way they go, every answer against its schema, and every way that is refused."""

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely
from filling import session_on
from openapi_schema_validator import OAS31Validator
from plan_asserts import assert_plan_is_its_log, assert_rows_are
from plan_village import STARTS_ON, chance_edits, store_village
from signed_in import TOKEN, sign_in
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from geodata.plan_snapshots import load_snapshot
from geodata.plans import load_grids
from mapgrid.roles import Role
from web import database
from web.blueprints import api

CODE, OTHER = "990101102301", "990101102302"
NOW = datetime(2026, 3, 5, 6, 2, tzinfo=UTC)
DESCRIPTION = json.loads((Path(api.__file__).parent.parent / "openapi.json").read_text(encoding="utf-8"))


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def template(filled):
    def fill(url):
        with session_on(url) as session:
            store_village(session, CODE, 300, river=False)

    return filled("plan_api", fill)


@pytest.fixture
def village(app):
    app.config.update(CLOCK=lambda: NOW, WTF_CSRF_ENABLED=False)
    return CODE


@pytest.fixture
def draft(client, village):
    """Begin a draft and return its address."""
    return ask(client.post, "/api/plans", 201, json={"village": village}).headers["Location"]


def ask(method, address, status=200, **how):
    """Ask and check status, answer and headers against the description."""
    answer = method(address, **how)
    assert answer.status_code == status, answer.text
    assert _faults(answer) == []
    return answer


def _faults(answer):
    path = re.sub(r"/plans/\d+", "/plans/{plan}", answer.request.path)
    described = DESCRIPTION["paths"][path][answer.request.method.lower()]["responses"][str(answer.status_code)]
    described = DESCRIPTION["components"]["responses"].get(described.get("$ref", "").rpartition("/")[2], described)
    if "content" not in described:
        return [] if answer.data == b"" else ["a body that is not described"]
    schema = {**described["content"]["application/json"]["schema"], "components": DESCRIPTION["components"]}
    missing = [name for name in described.get("headers", {}) if name not in answer.headers]
    return missing + [fault.message for fault in OAS31Validator(schema).iter_errors(answer.json)]


def grids_of(client, draft):
    return ask(client.get, draft).json["grids"]["features"]


def codes_of(client, draft):
    return [grid["properties"]["code"] for grid in grids_of(client, draft)]


def at(version):
    return {"If-Match": f'"{version}"'}


def edit(client, draft, record, version, status=200):
    sent = {"data": json.dumps(record), "content_type": "application/json"}  # the client's own JSON keeps to UTF-8
    return ask(client.post, f"{draft}/edits", status, **sent, headers=at(version)).json


def neighbours(client, draft):
    """Return two grids that can be merged: they share a border longer than a hundred metres."""
    shapes = {one["properties"]["code"]: shapely.geometry.shape(one["geometry"]) for one in grids_of(client, draft)}
    return next(
        [one, other]
        for one in shapes
        for other in shapes
        if one < other and shapes[one].buffer(1e-6).intersection(shapes[other].boundary).length > 1e-3
    )


def step(client, draft, name, version, status=200, **body):
    return ask(client.post, f"{draft}/{name}", status, headers=at(version), **({"json": body} if body else {})).json


def test_a_draft_begins_as_a_copy_of_the_published_plan(client, session, village):
    made = ask(client.post, "/api/plans", 201, json={"village": village})
    plan = made.json["plan"]
    assert (plan["state"], plan["version"], plan["name"], plan["base_plan"]) == ("draft", 0, "draft-1", 1)
    assert made.headers["ETag"] == '"0"'
    assert_rows_are(session, plan["id"], load_snapshot(session, 1, 0))
    assert ask(client.get, made.headers["Location"]).json == made.json


def test_a_draft_of_its_own_division_has_grids_that_never_were_before(client, session, village):
    former = set(load_grids(session, 1)["code"])
    body = {"village": village, "source": "division", "limits": {"min": 40, "max": 80, "target": 60}, "seed": 3}
    made = ask(client.post, "/api/plans", 201, json=body).json
    codes = [grid["properties"]["code"] for grid in made["grids"]["features"]]
    assert min(codes) > max(former)
    assert made["plan"]["limits"]["max"] == 80
    assert sum(grid["properties"]["households"] for grid in made["grids"]["features"]) == 300
    assert_plan_is_its_log(session, made["plan"]["id"])


def test_a_village_without_a_plan_is_divided_and_cannot_be_copied(client, session, village):
    store_village(session, OTHER, 120, publish=False)
    session.commit()
    refused = ask(client.post, "/api/plans", 409, json={"village": OTHER})
    assert "expected a published plan to copy" in refused.json["message"]
    made = ask(client.post, "/api/plans", 201, json={"village": OTHER, "source": "division"}).json
    assert made["plan"]["base_plan"] is None
    assert made["grids"]["features"][0]["properties"]["code"] == f"{OTHER}001"


def test_the_plans_of_a_village_are_listed_the_newest_first(client, draft, village):
    plans = ask(client.get, f"/api/plans?village={village}").json["plans"]
    assert [plan["state"] for plan in plans] == ["draft", "published"]
    assert ask(client.get, "/api/plans?village=990101102399", 404)
    assert ask(client.get, "/api/plans", 404)


def test_an_edit_comes_back_with_what_changed_and_the_new_version(client, session, draft):
    one, other = neighbours(client, draft)
    before = {grid["properties"]["code"]: grid for grid in grids_of(client, draft)}
    done = edit(client, draft, {"edit": "merge", "grids": [one, other]}, 0)
    assert done["plan"]["version"] == 1
    (ended,) = done["ended"]
    (stays,) = {one, other} - {ended}
    assert stays in [grid["properties"]["code"] for grid in done["grids"]["features"]]
    both = before[one]["properties"]["households"] + before[other]["properties"]["households"]
    assert len(done["households"]) >= before[ended]["properties"]["households"]
    assert {home["grid"] for home in done["households"]} == {stays}
    assert [warning["code"] for warning in done["warnings"]] == ["BY_HAND"] * (both > 100)
    shown = {grid["properties"]["code"]: grid for grid in grids_of(client, draft)}
    redrawn = {grid["properties"]["code"]: grid for grid in done["grids"]["features"]}
    assert shown == {code: grid for code, grid in (before | redrawn).items() if code != ended}
    assert_plan_is_its_log(session, done["plan"]["id"])


def test_each_kind_of_edit_can_be_made_undone_and_made_again(client, session, draft):
    one, other = neighbours(client, draft)
    homes = sorted(
        session.scalars(text("SELECT household_code FROM assignment WHERE plan_id = 2 AND grid_code = :g"), {"g": one})
    )
    west, south, east, north = shapely.geometry.shape(grids_of(client, draft)[0]["geometry"]).bounds
    line = [[west - 0.001, (south + north) / 2], [east + 0.001, (south + north) / 2 + 1e-5]]
    records = [
        {"edit": "assign", "households": homes, "grid": None},
        {"edit": "cut", "line": line},
        {"edit": "merge", "grids": [one, other]},
        {"edit": "lock", "grid": one},
        {"edit": "unlock", "grid": one},
    ]
    version, made = 0, 0
    for record in records:
        answer = client.post(f"{draft}/edits", json=record, headers=at(version))
        assert answer.status_code in {200, 422}, answer.text
        if answer.status_code == 200:
            version, made = version + 1, made + 1
    for kind in ("undo", "redo"):
        for _ in range(made):
            version = edit(client, draft, {"edit": kind}, version)["plan"]["version"]
    assert made >= 3
    assert version == 3 * made
    assert_plan_is_its_log(session, 2)


def test_what_is_undone_is_as_it_was_to_the_bit(client, session, draft):
    before = grids_of(client, draft)
    merged = edit(client, draft, {"edit": "merge", "grids": neighbours(client, draft)}, 0)
    back = edit(client, draft, {"edit": "undo"}, 1)
    assert grids_of(client, draft) == before
    assert {grid["properties"]["code"] for grid in back["grids"]["features"]} >= set(merged["ended"])
    assert_rows_are(session, 2, load_snapshot(session, 1, 0))


def test_a_refused_edit_says_why_and_changes_nothing(client, session, draft):
    ghost = f"{CODE}777"
    refused = edit(client, draft, {"edit": "lock", "grid": ghost}, 0, status=422)
    assert refused["code"] == "GRID_UNKNOWN"
    assert refused["hint"]
    assert ask(client.get, draft).json["plan"]["version"] == 0
    assert [entry["edit"]["edit"] for entry in ask(client.get, f"{draft}/history").json["entries"]] == ["begin"]
    assert_plan_is_its_log(session, 2)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({}, "EDIT_UNREADABLE"),
        ({"edit": "burn"}, "EDIT_UNREADABLE"),
        ({"edit": ["cut"]}, "EDIT_UNREADABLE"),
        ({"edit": "merge"}, "EDIT_UNREADABLE"),
        ({"edit": "merge", "grids": "001"}, "EDIT_UNREADABLE"),
        ({"edit": "merge", "grids": [f"{CODE}001"]}, "NOTHING_CHANGES"),
        ({"edit": "merge", "grids": [f"{OTHER}001", f"{CODE}001"]}, "GRID_UNKNOWN"),
        ({"edit": "lock", "grid": None}, "EDIT_UNREADABLE"),
        ({"edit": "lock", "grid": "\ud800"}, "GRID_UNKNOWN"),
        ({"edit": "undo"}, "NOTHING_CHANGES"),
        ({"edit": "redo"}, "NOTHING_CHANGES"),
        ({"edit": "undo", "times": 3}, "EDIT_UNREADABLE"),
        ({"edit": "begin"}, "EDIT_UNREADABLE"),
        ({"edit": "publish"}, "EDIT_UNREADABLE"),
        ({"edit": "assign", "households": [], "grid": f"{CODE}001"}, "NOTHING_CHANGES"),
        ({"edit": "assign", "households": [f"{OTHER}000001"], "grid": None}, "HOUSEHOLD_UNKNOWN"),
        ({"edit": "assign", "households": [10**30], "grid": None}, "HOUSEHOLD_UNKNOWN"),
        ({"edit": "assign", "households": [True], "grid": None}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": [[0.0, 0.0], [1.0, 1.0]]}, "LINE_OUTSIDE"),
        ({"edit": "cut", "line": [[500, 0], [1, 1]]}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": [[10**400, 0], [1, 1]]}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": [[1, 2, 3], [1, 1]]}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": [[float("nan"), 1], [1, 1]]}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": [["1", 1], [1, 1]]}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": [[105, 29.8]] * 2}, "LINE_UNFIT"),
        ({"edit": "cut", "line": [[105, 29.8]] * 501}, "EDIT_UNREADABLE"),
        ({"edit": "cut", "line": None}, "EDIT_UNREADABLE"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_with_its_code(client, draft, record, code):
    assert edit(client, draft, record, 0, status=422)["code"] == code


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[1]", 400),
        ("", 400),
        ("{", 400),
        ("[" * 60_000, 400),
        ("null", 400),
        (json.dumps({"a": "x" * 2**20}), 413),
    ],
)
def test_a_body_that_is_none_is_refused(client, draft, body, status):
    answer = client.post(f"{draft}/edits", data=body, content_type="application/json", headers=at(0))
    assert answer.status_code == status, answer.text
    assert _faults(answer) == []


def test_a_body_that_is_not_sent_as_json_is_refused(client, draft):
    assert client.post(f"{draft}/edits", data="edit=undo", headers=at(0)).status_code == 415


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"village": CODE, "source": "thin air"}, "source"),
        ({"village": CODE, "name": ""}, "name"),
        ({"village": CODE, "name": "a\x00b"}, "name"),
        ({"village": CODE, "name": "x" * 61}, "name"),
        ({"village": CODE, "name": 7}, "name"),
        ({"village": CODE, "seed": -1}, "seed"),
        ({"village": CODE, "seed": True}, "seed"),
        ({"village": CODE, "limits": {"max": "many"}}, "max"),
        ({"village": CODE, "limits": {"min": 90, "max": 80}}, "max"),
        ({"village": CODE, "limits": []}, "limits"),
        ({"village": CODE, "colour": "red"}, "colour"),
    ],
)
def test_a_draft_that_cannot_be_is_refused_with_what_was_expected(client, village, body, what):
    message = ask(client.post, "/api/plans", 400, json=body).json["message"]
    assert "expected" in message
    assert what in message


@pytest.mark.parametrize("method", ["edits", "review", "return", "publish", "DELETE"])
def test_whoever_does_not_say_which_version_was_looked_at_is_asked_for_it(client, draft, method):
    for headers in ({}, {"If-Match": "*"}):
        if method == "DELETE":
            ask(client.delete, draft, 428, headers=headers)
        else:
            ask(
                client.post,
                f"{draft}/{method}",
                428,
                headers=headers,
                json={"starts_on": "2026-04-01"} if method == "publish" else {},
            )
    assert ask(client.get, draft).json["plan"]["version"] == 0


@pytest.mark.parametrize("tag", ["0", '"abc"', '"0", "1"', '"-1"', "W/0", '"99999999999"'])
def test_a_tag_that_no_plan_ever_had_is_refused(client, draft, tag):
    ask(client.post, f"{draft}/edits", 400, json={"edit": "undo"}, headers={"If-Match": tag})


def test_a_tag_that_a_proxy_made_weak_still_means_its_version(client, draft):
    record = {"edit": "lock", "grid": codes_of(client, draft)[0]}
    ask(client.post, f"{draft}/edits", 200, json=record, headers={"If-Match": 'W/"0"'})


@pytest.mark.parametrize("method", ["edits", "review", "publish", "DELETE"])
def test_who_looked_at_an_older_version_is_told_both_and_nothing_changes(client, session, draft, method):
    record = {"edit": "lock", "grid": codes_of(client, draft)[0]}
    edit(client, draft, record, 0)
    match method:
        case "DELETE":
            stale = ask(client.delete, draft, 412, headers=at(0))
        case "publish":
            stale = ask(client.post, f"{draft}/publish", 412, headers=at(0), json={"starts_on": "2026-04-01"})
        case _:
            stale = ask(client.post, f"{draft}/{method}", 412, headers=at(0), json=record)
    assert (stale.json["code"], stale.json["yours"], stale.json["now"]) == ("STALE_VERSION", 0, 1)
    assert ask(client.get, draft).json["plan"]["version"] == 1
    assert_plan_is_its_log(session, 2)


def test_a_request_sent_twice_under_one_key_is_carried_out_once(client, session, draft):
    sent = {"json": {"edit": "merge", "grids": neighbours(client, draft)}}
    sent["headers"] = {**at(0), "Idempotency-Key": "0123-4567-89ab"}
    first, again = (ask(client.post, f"{draft}/edits", **sent) for _ in range(2))
    assert (again.json, again.headers["ETag"]) == (first.json, '"1"')
    assert_plan_is_its_log(session, 2)


def test_a_name_is_used_once_in_a_village(client, village):
    ask(client.post, "/api/plans", 201, json={"village": village, "name": "春季"})
    assert "春季" in ask(client.post, "/api/plans", 409, json={"village": village, "name": "春季"}).json["message"]


def test_a_village_has_at_most_twenty_drafts(client, session, village):
    session.execute(
        text(
            "INSERT INTO plan (village_code, name, state, parameters, scorecard)"
            " SELECT :code, 'old ' || n, 'draft', '{}', '{}' FROM generate_series(1, 20) n"
        ),
        {"code": village},
    )
    session.commit()
    assert "fewer than 20" in ask(client.post, "/api/plans", 409, json={"village": village}).json["message"]


def test_a_plan_goes_from_draft_over_review_to_published_and_back_only_where_it_may(client, draft):
    codes = codes_of(client, draft)
    lock = {"edit": "lock", "grid": codes[0]}
    step(client, draft, "publish", 0, 409, starts_on="2026-04-01")
    step(client, draft, "return", 0, 409)
    assert step(client, draft, "review", 0)["plan"]["state"] == "in_review"
    step(client, draft, "review", 1, 409)
    ask(client.post, f"{draft}/edits", 409, json=lock, headers=at(1))
    ask(client.delete, draft, 409, headers=at(1))
    assert step(client, draft, "return", 1)["plan"]["state"] == "draft"
    edit(client, draft, lock, 2)
    step(client, draft, "review", 3)
    assert step(client, draft, "publish", 4, starts_on="2026-04-01")["plan"]["state"] == "published"
    for name in ("review", "return"):
        step(client, draft, name, 5, 409)
    step(client, draft, "publish", 5, 409, starts_on="2026-05-01")
    ask(client.post, f"{draft}/edits", 409, json=lock, headers=at(5))
    ask(client.delete, draft, 409, headers=at(5))


def test_who_reviews_has_the_figures_that_an_edit_leaves_out(client, draft):
    edited = edit(client, draft, {"edit": "merge", "grids": neighbours(client, draft)}, 0)["plan"]["scorecard"]
    reviewed = step(client, draft, "review", 1)["plan"]["scorecard"]
    assert edited["distance_ratio"] is None
    assert reviewed["distance_ratio"] > 0.9
    assert {**reviewed, "distance_ratio": None} == edited


def test_publishing_ends_the_former_plan_and_its_assignments_the_day_before(client, session, draft):
    edit(client, draft, {"edit": "merge", "grids": neighbours(client, draft)}, 0)
    step(client, draft, "review", 1)
    published = step(client, draft, "publish", 2, starts_on="2026-04-01")["plan"]
    assert (published["starts_on"], published["ends_on"]) == ("2026-04-01", None)
    former = ask(client.get, "/api/plans/1").json["plan"]
    assert (former["state"], former["starts_on"], former["ends_on"]) == ("superseded", "2026-01-01", "2026-04-01")
    assert former["version"] == 1
    days = session.execute(
        text("SELECT plan_id, starts_on, ends_on, count(*) FROM assignment GROUP BY 1, 2, 3 ORDER BY 1")
    ).all()
    assert days == [(1, STARTS_ON, date(2026, 4, 1), 300), (2, date(2026, 4, 1), None, 300)]
    on_cells = session.scalar(
        text(
            "SELECT count(*) FROM household h JOIN cell c ON c.id = h.cell_id AND ST_Covers(c.outline, h.place)"
            " JOIN cell_assignment a ON a.cell_id = c.id AND a.plan_id = 2"
        )
    )
    assert on_cells == 300


def test_a_plan_published_for_later_is_not_yet_what_the_map_shows(app, client, draft):
    before = client.get(f"/api/villages/{CODE}/grids").json
    (gone,) = edit(client, draft, {"edit": "merge", "grids": neighbours(client, draft)}, 0)["ended"]
    step(client, draft, "review", 1)
    step(client, draft, "publish", 2, starts_on="2026-04-01")
    assert client.get(f"/api/villages/{CODE}/grids").json == before
    app.config["CLOCK"] = lambda: datetime(2026, 3, 31, 16, 0, tzinfo=UTC)  # midnight in the village
    codes = [grid["properties"]["code"] for grid in client.get(f"/api/villages/{CODE}/grids").json["features"]]
    assert gone not in codes
    assert len(codes) == len(before["features"]) - 1


@pytest.mark.parametrize("day", ["2026-03-04", "2026-01-01", "2025-12-31"])
def test_no_plan_begins_in_the_past_or_before_the_one_it_follows(client, draft, day):
    step(client, draft, "review", 0)
    assert "expected a first day" in step(client, draft, "publish", 1, 409, starts_on=day)["message"]


@pytest.mark.parametrize("day", ["2026-02-30", "20260401", "soon", 7, None, "2026-W10-1"])
def test_a_day_that_is_none_is_refused(client, draft, day):
    step(client, draft, "review", 0)
    ask(client.post, f"{draft}/publish", 400, json={"starts_on": day}, headers=at(1))


def test_of_two_drafts_of_one_plan_only_one_is_published(client, village):
    """Both may have given one code to different land."""
    drafts = [ask(client.post, "/api/plans", 201, json={"village": village}).headers["Location"] for _ in range(2)]
    for draft in drafts:
        step(client, draft, "review", 0)
    step(client, drafts[0], "publish", 1, starts_on="2026-04-01")
    assert "begin a new draft" in step(client, drafts[1], "publish", 1, 409, starts_on="2026-05-01")["message"]


def test_a_household_that_came_meanwhile_is_never_left_without_a_grid(client, session, draft):
    session.execute(
        text(
            "INSERT INTO household (code, village_code, place) SELECT :new, village_code,"
            " ST_Translate(place, 0.00001, 0) FROM household WHERE code = :beside"
        ),
        {"new": f"{CODE}000999", "beside": f"{CODE}000001"},
    )
    session.commit()
    step(client, draft, "review", 0)
    refused = step(client, draft, "publish", 1, 409, starts_on="2026-04-01")
    assert "1 households that came" in refused["message"]
    made = ask(client.post, "/api/plans", 201, json={"village": CODE})
    assert_plan_is_its_log(session, made.json["plan"]["id"])
    copy = made.headers["Location"]
    step(client, copy, "review", 0)
    step(client, copy, "publish", 1, starts_on="2026-04-01")
    rows = session.execute(
        text("SELECT plan_id, count(*) FROM assignment WHERE household_code = :new GROUP BY 1"),
        {"new": f"{CODE}000999"},
    ).all()
    assert rows == [(made.json["plan"]["id"], 1)]


def test_a_boundary_that_changed_meanwhile_stops_a_draft(client, session, draft):
    session.execute(
        text("UPDATE area SET boundary = ST_Multi(ST_Buffer(boundary, 0.0002)) WHERE code = :code"), {"code": CODE}
    )
    session.commit()
    step(client, draft, "review", 0)
    assert "the boundary of the village" in step(client, draft, "publish", 1, 409, starts_on="2026-04-01")["message"]


def test_a_plan_that_was_stored_without_being_kept_can_be_copied_and_edited(client, session, village):
    """As plans of former versions and plans read from files are."""
    session.execute(text("DELETE FROM plan_snapshot"))
    session.commit()
    made = ask(client.post, "/api/plans", 201, json={"village": village})
    draft = made.headers["Location"]
    before = {grid["properties"]["code"]: grid["properties"]["households"] for grid in made.json["grids"]["features"]}
    published = {row.code: row.households for row in load_grids(session, 1).itertuples()}
    assert before == published
    edit(client, draft, {"edit": "merge", "grids": neighbours(client, draft)}, 0)
    assert_plan_is_its_log(session, 2)
    assert ask(client.get, "/api/plans/1").json["reasons"] == []


def test_a_draft_is_deleted_once(client, draft):
    ask(client.delete, draft, 204, headers=at(0))
    ask(client.delete, draft, 404, headers=at(0))
    ask(client.get, draft, 404)
    ask(client.get, f"{draft}/history", 404)


@pytest.mark.parametrize("plan", ["999", "0", "99999999999999999999"])
def test_a_plan_that_is_not_there_is_not_found(client, village, plan):
    for address in (f"/api/plans/{plan}", f"/api/plans/{plan}/history"):
        assert client.get(address).status_code == 404
    for name in ("edits", "review", "return", "publish"):
        answer = client.post(
            f"/api/plans/{plan}/{name}",
            json={"edit": "undo"} if name == "edits" else {"starts_on": "2026-04-01"},
            headers=at(0),
        )
        assert answer.status_code == 404, answer.text


def test_the_history_tells_every_edit_and_which_are_undone(client, draft):
    pair = neighbours(client, draft)
    edit(client, draft, {"edit": "lock", "grid": codes_of(client, draft)[0]}, 0)
    edit(client, draft, {"edit": "undo"}, 1)
    edit(client, draft, {"edit": "merge", "grids": pair}, 2)
    history = ask(client.get, f"{draft}/history")
    told = [
        (entry["version_before"], entry["version"], entry["edit"]["edit"], entry["undone"])
        for entry in history.json["entries"]
    ]
    assert told == [(0, 0, "begin", None), (0, 1, "lock", True), (1, 2, "undo", None), (2, 3, "merge", False)]
    assert history.json["entries"][3]["edit"]["grids"] == pair
    assert history.headers["ETag"] == '"3"'


def test_a_line_comes_back_from_the_history_where_it_was_drawn(client, draft):
    west, south, east, north = shapely.geometry.shape(grids_of(client, draft)[0]["geometry"]).bounds
    line = [[west - 0.001, south + 0.4 * (north - south)], [east + 0.001, south + 0.6 * (north - south)]]
    edit(client, draft, {"edit": "cut", "line": line}, 0)
    (told,) = [
        one["edit"] for one in ask(client.get, f"{draft}/history").json["entries"] if one["edit"]["edit"] == "cut"
    ]
    assert told["line"] == pytest.approx([pytest.approx(corner, abs=1e-7) for corner in line])


def test_what_everybody_sees_never_changes_while_drafts_are_edited(client, session, rng, village):
    """The published plan as the map, a grid's page and a household's page have it, after each edit of two drafts."""
    seen = [
        f"/api/villages/{village}",
        f"/api/villages/{village}/grids",
        f"/api/villages/{village}/groups",
        f"/api/villages/{village}/households",
        f"/api/grids/{village}001",
        f"/api/households/{village}000007",
    ]
    before = [client.get(address).json for address in seen]
    made = 0
    for source in ("published", "division"):
        body = {"village": village, "source": source}
        shown = ask(client.post, "/api/plans", 201, json=body)
        draft, version = shown.headers["Location"], 0
        for record in chance_edits(shown.json, rng, 12):
            answer = client.post(f"{draft}/edits", json=record, headers=at(version))
            if answer.status_code == 200:
                version, made = answer.json["plan"]["version"], made + 1
                assert [client.get(address).json for address in seen] == before
        step(client, draft, "review", version)
        assert [client.get(address).json for address in seen] == before
    assert made >= 5


def test_each_change_leaves_one_entry_in_the_trail_and_a_refused_one_leaves_none(client, session, draft):
    edit(client, draft, {"edit": "merge", "grids": neighbours(client, draft)}, 0)
    edit(client, draft, {"edit": "lock", "grid": f"{CODE}777"}, 1, status=422)
    edit(client, draft, {"edit": "undo"}, 0, status=412)
    edit(client, draft, {"edit": "undo"}, 1)
    for version, name in enumerate(("review", "return", "review"), start=2):
        step(client, draft, name, version)
    step(client, draft, "publish", 5, starts_on="2026-04-01")
    other = ask(client.post, "/api/plans", 201, json={"village": CODE, "source": "division"}).headers["Location"]
    ask(client.delete, other, 204, headers=at(0))
    rows = session.execute(
        text("SELECT action, subject, area_code, login FROM audit_entry WHERE action LIKE 'plan.%' ORDER BY id")
    ).all()
    told = ["begin", "edit", "edit", "review", "return", "review", "publish", "begin", "delete"]
    assert [row.action for row in rows] == [f"plan.{one}" for one in told]
    assert {(row.area_code, row.login) for row in rows} == {(CODE, "reader")}
    assert [row.subject for row in rows] == ["2"] * 7 + ["3"] * 2


@pytest.mark.parametrize(
    "statement", ["UPDATE plan_edit SET made_by = 'nobody'", "DELETE FROM plan_edit", "TRUNCATE plan_edit"]
)
def test_the_application_can_neither_change_nor_remove_what_is_in_the_log(app, draft, statement):
    with app.test_request_context("/", headers={"Cookie": f"mapgrid={TOKEN}"}):
        asker = database.session()
        with pytest.raises(ProgrammingError, match="permission denied"):
            asker.execute(text(statement))
        asker.rollback()


def test_nobody_adds_to_the_log_in_the_name_of_another(app, draft):
    with app.test_request_context("/", headers={"Cookie": f"mapgrid={TOKEN}"}):
        asker = database.session()
        added = text(
            "INSERT INTO plan_edit (plan_id, version, village_code, record, account_id)"
            " SELECT plan_id, 9, village_code, record, account_id + 1 FROM plan_edit"
        )
        with pytest.raises(ProgrammingError, match="row-level security"):
            asker.execute(added)
        asker.rollback()


def test_a_planner_of_another_village_finds_neither_log_nor_kept_plan_behind_the_fence(app, session, draft):
    sign_in(session, "elsewhere", (Role.PLANNER, OTHER), token="elsewhere")
    session.commit()
    for token, count in ((TOKEN, 2), ("elsewhere", 0)):
        with app.test_request_context("/", headers={"Cookie": f"mapgrid={token}"}):
            asker = database.session()
            assert asker.scalar(text("SELECT count(*) FROM plan_snapshot")) == count
            assert asker.scalar(text("SELECT count(*) FROM plan_edit")) == count / 2
            asker.rollback()
    stranger = app.test_client()
    stranger.set_cookie("mapgrid", "elsewhere")
    ask(stranger.get, draft, 404)
    ask(stranger.post, f"{draft}/edits", 404, json={"edit": "undo"}, headers=at(0))
    ask(stranger.post, "/api/plans", 404, json={"village": CODE})
    ask(stranger.get, f"/api/plans?village={CODE}", 404)
    assert app.test_client().get(draft).status_code == 401
