"""Plans of one village against a model: whatever is done to them in whatever order, both say the same."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from plan_asserts import assert_plan_is_its_log, assert_rows_are
from plan_village import PLANNER, STARTS_ON, chance_edits, store_village
from sqlalchemy import text

from geodata.plan_edits import load_log, load_plan, load_plans
from geodata.plan_snapshots import load_snapshot
from geodata.plans import load_current_plan, load_grids
from mapgrid.adjust import from_record
from mapgrid.adjusting.workspace import Workspace
from mapgrid.errors import ConflictError, EditRefusedError, PlanStateError, StaleVersionError
from mapgrid.plans import NEXT, PlanState
from mapgrid.village import Limits
from web.actions.edit_plan import edit_plan
from web.actions.plan_drafts import Wanted, begin_draft, drop_draft, show_plan
from web.actions.plan_records import as_meant
from web.actions.plan_shelf import PlanShelf
from web.actions.publish_plan import move_plan, publish_plan
from web.geojson import feature_collection

CODE = "990101102301"
LIMITS = Limits(min=15, max=40, target=25)
_STEPS = {"review": PlanState.IN_REVIEW, "return": PlanState.DRAFT}
NOON = datetime(2026, 3, 5, 4, 0, tzinfo=UTC)


@dataclass
class Model:
    """What a plan should be."""

    workspace: Workspace
    base: int | None
    state: PlanState = PlanState.DRAFT
    version: int = 0
    starts_on: date | None = None
    ends_on: date | None = None
    kinds: list[str] = field(default_factory=lambda: ["begin"])

    def did(self, kind):
        self.version += 1
        self.kinds.append(kind)


class Plans(RuleBasedStateMachine):
    """Do to stored plans what can be done to them, and to a model of each the same."""

    session, done = None, Counter()

    def __init__(self):
        super().__init__()
        self.shelf, self.now = PlanShelf(), NOON
        (published,) = load_plans(self.session, CODE)
        first = Model(Workspace(load_snapshot(self.session, published.id, 0)), None, PlanState.PUBLISHED)
        first.starts_on, first.kinds = STARTS_ON, []
        self.plans, self.published = {published.id: first}, published.id

    def teardown(self):
        for plan_id, model in self.plans.items():
            self.done.update(model.kinds)
            assert_rows_are(self.session, plan_id, model.workspace.plan)
            if model.kinds[:1] == ["begin"]:
                assert_plan_is_its_log(self.session, plan_id)
        self.session.rollback()

    def among(self, *states):
        return sorted((plan_id for plan_id, model in self.plans.items() if model.state in states), reverse=True)

    @initialize(source=st.sampled_from(["published", "division"]))
    def begin_the_first(self, source):
        self._begin(source, 0)

    @rule(source=st.sampled_from(["published", "division"]), seed=st.integers(0, 3))
    @precondition(lambda self: len(self.among(PlanState.DRAFT, PlanState.IN_REVIEW)) < 2)
    def begin(self, source, seed):
        self._begin(source, seed)

    @rule(which=st.integers(0, 3), seed=st.integers(0, 2**16))
    @precondition(lambda self: self.among(PlanState.DRAFT))
    def edit(self, which, seed):
        plan_id = self._nth(which, PlanState.DRAFT)
        grids = {"grids": feature_collection(load_grids(self.session, plan_id), ("code",))}
        locked = sorted(self.plans[plan_id].workspace.plan.locked)
        if locked and seed % 2:  # or soon nothing could be edited any more
            self._edited(plan_id, {"edit": "unlock", "grid": CODE + locked[0]})
        for record in chance_edits(grids, np.random.default_rng(seed), 20):
            if self._edited(plan_id, record):
                break

    @rule(which=st.integers(0, 3), kinds=st.lists(st.sampled_from(["undo", "redo"]), min_size=1, max_size=3))
    @precondition(lambda self: self.among(PlanState.DRAFT))
    def turn(self, which, kinds):
        plan_id = self._nth(which, PlanState.DRAFT)
        for kind in kinds:
            self._edited(plan_id, {"edit": kind})

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.among(PlanState.DRAFT))
    def review(self, which):
        self._moved(self._nth(which, PlanState.DRAFT), "review")

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: self.among(PlanState.IN_REVIEW))
    def send_back(self, which):
        self._moved(self._nth(which, PlanState.IN_REVIEW), "return")

    @rule(which=st.integers(0, 3), days=st.integers(-1, 9))
    @precondition(lambda self: self.among(PlanState.DRAFT, PlanState.IN_REVIEW))
    def publish(self, which, days):
        plan_id = self._nth(which, PlanState.DRAFT, PlanState.IN_REVIEW)
        if self.plans[plan_id].state is PlanState.DRAFT:
            self._moved(plan_id, "review")
        self._publish(plan_id, days)

    @rule(which=st.integers(0, 9), what=st.sampled_from(["late", "no draft", "review", "return", "publish"]))
    def ask_for_what_may_not_be(self, which, what):
        plan_id = self._nth(which, *PlanState)
        model = self.plans[plan_id]
        if what == "late":
            with pytest.raises(StaleVersionError):
                self._edit(plan_id, {"edit": "undo"}, model.version - 1)
        elif what == "publish":
            self._publish(plan_id, 3)
        elif what in _STEPS:
            self._moved(plan_id, what)
        elif model.state is not PlanState.DRAFT:
            with pytest.raises(PlanStateError):
                self._edit(plan_id, {"edit": "undo"}, model.version)
            with pytest.raises(PlanStateError):
                drop_draft(self.session, PLANNER, plan_id, version=model.version)

    @rule(which=st.integers(0, 3))
    @precondition(lambda self: len(self.among(PlanState.DRAFT)) > 1)
    def drop(self, which):
        plan_id = self._nth(which, PlanState.DRAFT)
        drop_draft(self.session, PLANNER, plan_id, version=self.plans.pop(plan_id).version)

    @rule(days=st.integers(0, 5))
    def start_the_server_again_some_days_later(self, days):
        self.shelf, self.now = PlanShelf(), self.now + timedelta(days=days)

    @invariant()
    def the_store_says_what_the_model_says(self):
        stored = {plan.id: plan for plan in load_plans(self.session, CODE)}
        assert stored.keys() == self.plans.keys()
        for plan_id, model in self.plans.items():
            plan = stored[plan_id]
            assert (plan.state, plan.version) == (model.state, model.version)
            assert (plan.starts_on, plan.ends_on) == (model.starts_on, model.ends_on)
            assert [entry.record["edit"] for entry in load_log(self.session, plan_id)] == model.kinds

    @invariant()
    def exactly_one_plan_is_in_force_on_every_day_and_covers_every_household(self):
        for days in (0, 1, 5, 400):
            day = self.now.date() + timedelta(days=days)
            (expected,) = [
                plan_id
                for plan_id, model in self.plans.items()
                if model.starts_on and model.starts_on <= day and (model.ends_on is None or day < model.ends_on)
            ]
            assert load_current_plan(self.session, CODE, day).id == expected
            count = text(
                "SELECT count(*), count(DISTINCT household_code) FROM assignment WHERE starts_on <= :day"
                " AND (ends_on IS NULL OR ends_on > :day)"
            )
            assert tuple(self.session.execute(count, {"day": day}).one()) == (120, 120)

    @invariant()
    def what_is_shown_of_the_newest_plan_is_what_the_model_has(self):
        plan_id = max(self.plans)
        shown, plan = show_plan(self.session, self.shelf, PLANNER, plan_id).grids, self.plans[plan_id].workspace.plan
        assert shown["code"].str[-3:].tolist() == plan.grids["grid"].tolist()
        assert shown["households"].tolist() == plan.grids["weight"].tolist()
        assert set(shown["code"][shown["locked"]].str[-3:]) == set(plan.locked)

    def _nth(self, which, *states):
        known = self.among(*states)
        return known[which % len(known)]

    def _begin(self, source, seed):
        wanted = Wanted(source, limits=LIMITS, seed=seed)
        plan_id = begin_draft(self.session, self.shelf, PLANNER, CODE, wanted)
        base = load_snapshot(self.session, plan_id, 0)
        if source == "published":
            assert_rows_are(self.session, plan_id, self.plans[self.published].workspace.plan)
        else:
            assert min(base.division.names) > max(self.plans[self.published].workspace.plan.division.names)
        self.plans[plan_id] = Model(Workspace(base), self.published)

    def _moved(self, plan_id, step):
        model, wanted = self.plans[plan_id], _STEPS[step]
        asked = (self.session, self.shelf, PLANNER, plan_id, step)
        if wanted not in NEXT[model.state]:
            with pytest.raises(PlanStateError):
                move_plan(*asked, version=model.version)
            return
        move_plan(*asked, version=model.version)
        model.state = wanted
        model.did(step)

    def _edited(self, plan_id, record):
        """Edit plan and model; return whether neither refused."""
        model = self.plans[plan_id]
        expected = _outcome(lambda: self._expected(model.workspace, record))
        done = _outcome(lambda: self._edit(plan_id, record, model.version))
        if isinstance(expected, str):
            assert done == expected
            return False
        model.workspace = expected
        model.did(record["edit"])
        assert done.plan["version"] == model.version
        assert done.plan["scorecard"]["grids"] == len(expected.plan.grids)
        return True

    def _publish(self, plan_id, days):
        model, former = self.plans[plan_id], self.plans[self.published]
        day = self.now.date() + timedelta(days=days)
        may = PlanState.PUBLISHED in NEXT[model.state]
        fits = model.base == self.published and days >= 0 and day > former.starts_on
        asked = (self.session, self.shelf, PLANNER, plan_id, (day, self.now))
        if not (may and fits):
            with pytest.raises(ConflictError if may else PlanStateError):
                publish_plan(*asked, version=model.version)
            return
        publish_plan(*asked, version=model.version)
        former.state, former.ends_on = PlanState.SUPERSEDED, day
        former.did("supersede")
        model.state, model.starts_on, self.published = PlanState.PUBLISHED, day, plan_id
        model.did("publish")

    def _edit(self, plan_id, record, version):
        return edit_plan(self.session, self.shelf, PLANNER, plan_id, record, version=version)

    def _expected(self, workspace, record):
        if record["edit"] in {"undo", "redo"}:
            return getattr(workspace, record["edit"])()
        return workspace.apply(from_record(as_meant(record, CODE, workspace.plan)))


def _outcome(call):
    """Return what a call returns, or why an edit is refused."""
    try:
        return call()
    except EditRefusedError as refused:
        return str(refused)


@pytest.mark.timeout(300)
def test_plans_and_their_model_never_differ(session):
    done = _run(session, examples=16, steps=16, derandomize=True)
    assert {"begin", "review", "publish", "supersede"} <= done.keys(), done
    assert sum(done[kind] for kind in ("cut", "merge", "reshape", "undo", "redo")) >= 10, done


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_plans_and_their_model_never_differ_in_hundreds_of_walks(session):
    print(json.dumps(_run(session, examples=200, steps=50, derandomize=False)))  # noqa: T201


def _run(session, *, examples, steps, derandomize):
    """Walk about at random and return how often each thing was done."""
    store_village(session, CODE, 120, limits=LIMITS, river=False)
    session.commit()
    machine = type("PlansOfTheVillage", (Plans,), {"session": session, "done": Counter()})
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=how)
    assert load_plan(session, 1).version == 0
    return machine.done
