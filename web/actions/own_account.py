"""What somebody is told of their own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from geodata.directory import Reached, count_reached
from geodata.sign_ins import Browser, load_browsers
from geodata.villages import load_area_names
from mapgrid.roles import fewest_characters, needs_second_factor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from geodata.sign_ins import OpenSignIn
    from mapgrid.roles import Actor


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """One's own account.

    Attributes
    ----------
    browsers
        Where one is signed in; the first is not always the present one, `is_here` says which.
    reached
        How much of the store one's scopes reach: what would travel to one's phone.
    area_names
        Names of the areas of one's scopes by code.
    """

    actor: Actor
    browsers: tuple[tuple[Browser, bool], ...]
    reached: Reached
    area_names: Mapping[str, str]
    needs_second_factor: bool
    has_second_factor: bool
    fewest_characters: int


def describe(session: Session, current: OpenSignIn, *, now: datetime, language: str) -> OwnAccount:
    """Return what the page of one's own account says."""
    actor = current.actor
    browsers = [] if actor.viewer_id is not None else load_browsers(session, actor.account_id, now)
    return OwnAccount(
        actor=actor,
        browsers=tuple((browser, browser.key == current.key) for browser in browsers),
        reached=count_reached(session),
        area_names=load_area_names(session, [scope.area for scope in actor.scopes], language=language),
        needs_second_factor=needs_second_factor(actor.scopes),
        has_second_factor=current.owner_has_second_factor,
        fewest_characters=fewest_characters(actor.scopes),
    )
