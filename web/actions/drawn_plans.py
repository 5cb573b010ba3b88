"""Draft plans of grids drawn elsewhere: kept once, and recognised when the same file comes again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from geodata.plans import load_plan_named, save_plan
from mapgrid.errors import Fault, InputRefusedError
from mapgrid.plans import PlanState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from mapgrid.partition import Plan


@dataclass(frozen=True, slots=True)
class DrawnPlan:
    """The plan that an import is to make.

    Attributes
    ----------
    digest
        A mark of what it is made from.
    serials
        The serials that the grids of the file got, in its order, when the same was imported before; else None.
    """

    name: str
    digest: str
    serials: list[int] | None

    @property
    def is_same(self) -> bool:
        """Whether it is in the store already."""
        return self.serials is not None


def find_drawn(session: Session, village_code: str, name: str, digest: str) -> DrawnPlan:
    """Return what the store knows of a plan, or raise `InputRefusedError` when another one has its name."""
    stored = load_plan_named(session, village_code, name)
    if stored is None:
        return DrawnPlan(name, digest, None)
    drawn = stored.parameters.get("drawn", {})
    if drawn.get("digest") == digest:
        return DrawnPlan(name, digest, drawn["serials"])
    expected = "a name that no other plan of the village has"
    raise InputRefusedError([Fault(expected, f"plan {name}", hint="name this one: --name")])


def save_drawn(session: Session, village_code: str, plan: Plan, drawn: DrawnPlan, serials: list[int]) -> int:
    """Store a draft plan and return its id."""
    how = {"preset": plan.preset, "seed": plan.seed, "drawn": {"digest": drawn.digest, "serials": serials}}
    parameters = {**asdict(plan.limits), **how}
    return save_plan(
        session, village_code, plan, name=drawn.name, state=PlanState.DRAFT, starts_on=None, parameters=parameters
    )
