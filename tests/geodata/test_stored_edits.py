"""Edits written to PostGIS: after each, the rows are exactly the plan that the domain has, and nothing else changed."""

import contextlib

import numpy as np
import pytest
from plan_asserts import assert_covers, assert_plan_is_its_log, assert_rows_are
from plan_village import PLANNER, chance_edits, frame_of, store_village
from sqlalchemy import event, text

from geodata.plan_changes import delete_plan
from geodata.plan_edits import load_plan
from geodata.plan_snapshots import load_snapshot
from mapgrid.errors import EditRefusedError
from web.actions.edit_plan import edit_plan
from web.actions.plan_drafts import Wanted, begin_draft, show_plan
from web.actions.plan_shelf import PlanShelf
from web.geojson import feature_collection

CODE, OTHER = "990101102301", "990101102302"


@pytest.fixture
def village(session):
    store_village(session, CODE, 300, seed=2)
    session.commit()
    return CODE


@pytest.fixture
def shelf():
    return PlanShelf()


@pytest.fixture
def draft(session, shelf, village):
    plan_id = begin_draft(session, shelf, PLANNER, village, Wanted("published"))
    session.commit()
    return plan_id


def shown(session, shelf, plan_id):
    return {"grids": feature_collection(show_plan(session, shelf, PLANNER, plan_id).grids, ("code", "locked"))}


def edited(session, shelf, plan_id, edit):
    return edit_plan(session, shelf, PLANNER, plan_id, edit, version=load_plan(session, plan_id).version)


def edit_by_chance(session, shelf, plan_id, seed, count):
    """Make edits drawn by chance until so many were made; return how many were refused."""
    rng, made, refused = np.random.default_rng(seed), 0, 0
    while made < count:
        (edit,) = chance_edits(shown(session, shelf, plan_id), rng, 1)
        try:
            edited(session, shelf, plan_id, edit)
        except EditRefusedError:
            refused += 1
            assert refused < 20 * count
            continue
        made += 1
        yield edit


def test_a_draft_begins_as_the_published_plan_to_the_bit(session, draft):
    published = load_snapshot(session, 1, 0)
    assert_rows_are(session, draft, published)
    assert_covers(session, draft, published.cells.crs)


@pytest.mark.parametrize("seed", range(3))
def test_after_every_edit_the_rows_are_what_the_log_makes_of_the_base(session, shelf, draft, seed):
    kinds = set()
    for edit in edit_by_chance(session, shelf, draft, seed, 12):
        kinds.add(edit["edit"])
        assert_plan_is_its_log(session, draft)
        session.commit()
    assert len(kinds) >= 3


def test_whoever_has_nothing_in_memory_sees_the_same_plan_and_edits_on(session, shelf, draft):
    """Twenty edits go over the plans that are kept for good; undone all the way they lead back to the base."""
    list(edit_by_chance(session, shelf, draft, 7, 20))
    expected = frame_of(shown(session, shelf, draft)["grids"]["features"])
    cold = PlanShelf()
    assert frame_of(shown(session, cold, draft)["grids"]["features"]).equals(expected)
    for _ in range(40):
        try:
            edited(session, PlanShelf(), draft, {"edit": "undo"})
        except EditRefusedError:
            break
    assert_plan_is_its_log(session, draft)
    assert_rows_are(session, draft, load_snapshot(session, 1, 0))


def test_a_shelf_with_room_for_nothing_changes_no_answer(session, draft):
    list(edit_by_chance(session, PlanShelf(most_cells=1), draft, 7, 6))
    assert_plan_is_its_log(session, draft)


def test_an_edit_that_was_rolled_back_leaves_no_trace_in_the_store_or_in_memory(session, shelf, draft):
    before = shown(session, shelf, draft)
    codes = [one["properties"]["code"] for one in before["grids"]["features"]]
    edited(session, shelf, draft, {"edit": "lock", "grid": codes[0]})
    session.rollback()
    assert shown(session, shelf, draft) == before
    edited(session, shelf, draft, {"edit": "lock", "grid": codes[1]})
    session.commit()
    locked = [one["properties"]["locked"] for one in shown(session, shelf, draft)["grids"]["features"]]
    assert locked == [code == codes[1] for code in codes]


def test_edits_of_one_draft_touch_no_row_of_another_plan(session, shelf, draft, village):
    other = begin_draft(session, shelf, PLANNER, village, Wanted("published"))
    session.commit()
    tables = ("grid", "household_group", "cell_assignment", "assignment", "plan")
    query = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t WHERE {} <> :draft"
    queries = [query.format(table, "id" if table == "plan" else "plan_id") for table in tables]
    before = [session.scalar(text(one), {"draft": draft}) for one in queries]
    list(edit_by_chance(session, shelf, draft, 3, 6))
    assert [session.scalar(text(one), {"draft": draft}) for one in queries] == before
    assert_plan_is_its_log(session, other)


def test_a_deleted_draft_leaves_no_row_and_no_cell(session, shelf, village):
    tables = ("plan", "grid", "household_group", "cell", "cell_assignment", "assignment", "plan_edit", "plan_snapshot")
    counts = text("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables))  # noqa: S608
    before = tuple(session.execute(counts).one())
    draft = begin_draft(session, shelf, PLANNER, village, Wanted("published"))
    list(edit_by_chance(session, shelf, draft, 3, 3))
    assert all(now > then for now, then in zip(session.execute(counts).one(), before, strict=True))
    delete_plan(session, draft)
    assert tuple(session.execute(counts).one()) == before


def test_the_number_of_statements_of_an_edit_does_not_grow_with_the_village(session, engine, shelf, draft):
    store_village(session, OTHER, 160, seed=2)
    small = begin_draft(session, shelf, PLANNER, OTHER, Wanted("published"))
    statements = []
    event.listen(engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    counts = []
    for plan_id in (small, draft):
        for edit in chance_edits(shown(session, shelf, plan_id), np.random.default_rng(1), 200):
            statements.clear()
            with contextlib.suppress(EditRefusedError):
                edited(session, shelf, plan_id, edit)
                if edit["edit"] == "cut":
                    break
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert 10 < counts[0] <= 25


def test_the_log_says_who_when_and_what(session, shelf, draft):
    codes = [one["properties"]["code"] for one in shown(session, shelf, draft)["grids"]["features"]]
    edited(session, shelf, draft, {"edit": "lock", "grid": codes[0]})
    session.commit()
    query = text("SELECT account_id, made_by, record, now() - made_at FROM plan_edit WHERE version = 1")
    account, name, record, age = session.execute(query).one()
    assert (account, name, record) == (7, "planner", {"edit": "lock", "grid": codes[0][-3:]})
    assert age.total_seconds() < 60
