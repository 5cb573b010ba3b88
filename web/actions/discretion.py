"""What somebody may see of a household or a figure: names, reasons and small counts by right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mapgrid.roles import Permission, allows
from mapgrid.suppression import suppress_small

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.counts import Counts
    from mapgrid.roles import Actor


def may(actor: Actor, permission: Permission, household: str, grid: str | None) -> bool:
    """Say whether somebody has a permission on a household: through its village, or through the grid it stands in."""
    return allows(actor, permission, household) or (grid is not None and allows(actor, permission, grid))


def discreet(counts: Mapping[str, Counts], actor: Actor) -> dict[str, Counts]:
    """Return figures by area as somebody may see them: small counts of tiers are None without a right on households."""
    hidden = {code: count for code, count in counts.items() if not allows(actor, Permission.SEE_HOUSEHOLDS, code)}
    tiers = suppress_small({code: count.tiers for code, count in hidden.items()})
    return {
        code: replace(count, tiers=tiers[code]) if code in hidden else count  # type: ignore[arg-type]
        for code, count in counts.items()
    }
