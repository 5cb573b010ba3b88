"""Words for codes, in the reader's language: the one place that names tiers, states, classes and reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from geodata.accounts import AccountFault
from mapgrid.cases import CaseClass, MapState
from mapgrid.mapspec import Overlay
from mapgrid.masking import Purpose
from mapgrid.plans import PlanState
from mapgrid.roles import Role
from mapgrid.tiers import Tier, TierReason
from web.actions.manage_people import LONGEST_NAME
from web.passwords import PasswordFault, PasswordRefusedError
from web.templating import language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geodata.accounts import AccountRefusedError


def tier_labels() -> Mapping[str, str]:
    """Return the name of each tier."""
    return {
        Tier.RED: _("Red"),
        Tier.YELLOW: _("Yellow"),
        Tier.GREEN: _("Green"),
        Tier.UNKNOWN: _("Not tiered yet"),
    }


def role_labels() -> Mapping[str, str]:
    """Return the name of each role."""
    return {
        Role.WORKER: _("Grid worker"),
        Role.GRID_LEADER: _("Grid leader"),
        Role.LIAISON: _("Liaison"),
        Role.PLANNER: _("Planner"),
        Role.VILLAGE_LEADER: _("Village leader"),
        Role.TOWN_LEADER: _("Town leader"),
        Role.DISTRICT_LEADER: _("District leader"),
        Role.RESIDENT_DESK: _("Resident desk"),
        Role.ADMINISTRATOR: _("Administrator"),
        Role.AUDITOR: _("Auditor"),
        Role.EMERGENCY: _("Emergency access"),
    }


def audit_action_labels() -> Mapping[str, str]:
    """Return what each action of the audit trail was."""
    return {
        "account.accept": _("Accepted an invitation"),
        "account.add": _("Made an account"),
        "account.disable": _("Disabled an account"),
        "account.enable": _("Enabled an account"),
        "account.invite": _("Made an invitation"),
        "account.read": _("Looked at an account"),
        "audit.export": _("Exported the trail"),
        "audit.read": _("Looked at the trail"),
        "backup.made": _("Made a backup"),
        "backup.restored": _("Restored a backup"),
        "demo.accounts": _("Renewed the demo's passwords"),
        "division.start": _("Started a division"),
        "emergency.end": _("Ended emergency access"),
        "emergency.open": _("Let themselves in, in an emergency"),
        "household.read": _("Looked at a household"),
        "household.unmask": _("Saw a household unmasked"),
        "job.cancel": _("Cancelled a job"),
        "import.barriers": _("Imported roads and waters"),
        "import.grids": _("Imported grids"),
        "import.households": _("Imported households"),
        "import.units": _("Imported units"),
        "import.village": _("Imported a boundary"),
        "password.change": _("Changed the password"),
        "plan.publish": _("Published a plan"),
        "scope.end": _("Ended a scope"),
        "scope.give": _("Gave a scope"),
        "scope.hand_over": _("Handed an area over"),
        "second_factor": _("Gave a one-time code"),
        "second_factor.confirmed": _("Set the second factor up"),
        "second_factor.take_away": _("Took a second factor away"),
        "sign_in": _("Signed in"),
        "sign_in.second_factor": _("Signed in with a second factor"),
        "sign_out": _("Signed out"),
        "sign_out.elsewhere": _("Signed out elsewhere"),
        "store.rewound": _("Brought the store back to a moment"),
        "view_as.begin": _("Began to view as"),
        "view_as.end": _("Ended to view as"),
    }


def audit_detail(name: str, value: object) -> str:
    """Return one detail of an entry of the audit trail, such as "role: planner", in words."""
    names = {
        "browsers": _("browsers"),
        "grids": _("grids"),
        "purpose": _("purpose"),
        "reason": _("reason"),
        "role": _("role"),
        "starts_on": _("from"),
        "to": _("to"),
        "verdict": _("verdict"),
    }
    words = {"purpose": purpose_labels(), "role": role_labels()}.get(name, {})
    return f"{names.get(name, name)}: {words.get(str(value), value)}"


def password_fault(error: Exception) -> str:
    """Return in words why a password cannot be."""
    if not isinstance(error, PasswordRefusedError):
        return _("The present password does not fit.")
    return {
        PasswordFault.LENGTH: _("The password needs at least %(n)s characters.", n=error.fewest),
        PasswordFault.LOGIN: _("The login must not be part of the password."),
        PasswordFault.KINDS: _("Use three kinds of characters: small letters, capital letters, digits, others."),
        PasswordFault.SAME: _("Use at least five different characters."),
    }[error.fault]


def account_fault(error: AccountRefusedError) -> str:
    """Return in words why an account cannot be made or changed so."""
    found = error.found or "–"
    return {
        AccountFault.LOGIN: _("Login: 2 to 40 small letters, digits, dots, dashes. Found: %(found)s", found=found),
        AccountFault.LOGIN_TAKEN: _("Somebody has the login %(found)s already. Choose another.", found=found),
        AccountFault.LOGIN_UNKNOWN: _("You manage nobody with the login %(found)s.", found=found),
        AccountFault.NAME: _("Name: 1 to %(n)s characters.", n=LONGEST_NAME),
        AccountFault.HEIR_IS_HOLDER: _("Hand over to somebody else than the present holder."),
        AccountFault.OWN_ACCOUNT: _("This is your own account. Another administrator gives you roles."),
        AccountFault.ROLE: _("Choose one of the roles."),
        AccountFault.ROLE_OF_AREA: _(
            "This role is not for an area of this size (see below). Found: %(found)s", found=found
        ),
        AccountFault.AREA: _("The area code is not valid: %(found)s", found=found),
        AccountFault.AREA_OF_OTHERS: _("You give roles on your own areas only. Found: %(found)s", found=found),
        AccountFault.DATES: _("The last day must come after the first."),
        AccountFault.UNREADABLE: _("A role or a date cannot be read: %(found)s", found=found),
    }[error.fault]


def purpose_labels() -> Mapping[str, str]:
    """Return what people may be seen in full for."""
    return {
        Purpose.VISIT: _("a visit or a call"),
        Purpose.CASE: _("a case"),
        Purpose.EMERGENCY: _("an emergency"),
        Purpose.CORRECTION: _("correcting the record"),
    }


def tier_meanings() -> Mapping[str, str]:
    """Return what each tier asks for, in a word."""
    return {Tier.RED: _("priority"), Tier.YELLOW: _("watch"), Tier.GREEN: _("regular")}


def tier_letters() -> Mapping[str, str]:
    """Return the letter that stands on a symbol of each tier."""
    return {Tier.RED: _("R"), Tier.YELLOW: _("Y"), Tier.GREEN: _("G"), Tier.UNKNOWN: "?"}


def case_state_labels() -> Mapping[str, str]:
    """Return the words of a legend for each map state of a case."""
    return {
        MapState.OVERDUE: _("Overdue"),
        MapState.NEAR_DUE: _("Due soon"),
        MapState.WHISTLED: _("Whistled, escalated"),
        MapState.OPEN: _("In progress"),
        MapState.CLOSED_RECENTLY: _("Closed in the last 30 days"),
    }


def case_class_labels() -> Mapping[str, str]:
    """Return the names of the nine classes of cases."""
    return {
        CaseClass.DISPUTE: _("Dispute"),
        CaseClass.HAZARD: _("Hazard"),
        CaseClass.LIVELIHOOD: _("Livelihood"),
        CaseClass.SANITATION: _("Sanitation"),
        CaseClass.INFRASTRUCTURE: _("Infrastructure"),
        CaseClass.POLICY_ADVICE: _("Policy advice"),
        CaseClass.SPECIAL_CARE: _("Special care"),
        CaseClass.EMERGENCY: _("Emergency"),
        CaseClass.OTHER: _("Other"),
    }


def tier_reason_labels() -> Mapping[str, str]:
    """Return the words for each reason of a tier."""
    return {
        TierReason.SERIOUS_DISPUTE: _("serious dispute"),
        TierReason.ACUTE_HARDSHIP: _("acute hardship"),
        TierReason.ILL_ALONE_80: _("seriously ill, alone, 80 or older"),
        TierReason.SUBSISTENCE: _("subsistence support"),
        TierReason.DISABILITY: _("disability level 1–2"),
        TierReason.EMPTY_NEST: _("empty-nest elderly"),
        TierReason.LEFT_BEHIND: _("left-behind children"),
        TierReason.CHRONIC_ILLNESS: _("major or chronic illness"),
        TierReason.UNSAFE_HOUSE: _("unsafe house"),
        TierReason.ORDINARY_DISPUTE: _("ordinary dispute"),
    }


def limit_reason_labels() -> Mapping[str, str]:
    """Return why a grid is out of its limits."""
    return {
        "UNIT_OVER_MAX": _("One building alone holds more households than a grid may have."),
        "VILLAGE_UNDER_MIN": _("The whole village has fewer households than a grid should have."),
        "ISOLATED_UNIT": _("A barrier or the distance cuts these households off from any other grid."),
        "UNITS_DO_NOT_FIT": _("Whole units make no grids within the limits here; this unit is in several grids."),
        "NO_GEOMETRY": _("Some households have no usable point yet."),
        "BY_HAND": _("This grid was made so by hand."),
        "NO_DIVISION_FOUND": _("The households would fit, but no connected division was found."),
        "LOCKED": _("This grid is locked and stays as it is."),
    }


def overlay_labels() -> Mapping[str, str]:
    """Return the names of the layers that can be switched."""
    return {
        Overlay.GRIDS: _("Grids and numbers"),
        Overlay.GROUPS: _("Ten-household groups"),
        Overlay.UNITS: _("Villager groups"),
        Overlay.BUILDINGS: _("Buildings"),
        Overlay.ROADS_AND_WATER: _("Roads and water"),
        Overlay.BARRIERS: _("Barriers"),
        Overlay.PREFERRED: _("Preferred lines"),
        Overlay.WAYS: _("Roads that ways are measured along"),
    }


def plan_state_labels() -> Mapping[str, str]:
    """Return the words for each state of a plan."""
    return {
        PlanState.DRAFT: _("draft"),
        PlanState.IN_REVIEW: _("in review"),
        PlanState.PUBLISHED: _("published"),
        PlanState.SUPERSEDED: _("superseded"),
    }


def browser_words() -> dict[str, Any]:
    """Return every word the scripts of the map page show."""
    return {
        "letters": tier_letters(),
        "tiers": tier_labels(),
        "states": case_state_labels(),
        "classes": case_class_labels(),
        "tier_reasons": tier_reason_labels(),
        "reasons": limit_reason_labels(),
        "kinds": {"grid": _("Grid"), "village": _("Village")},
        "prefers_english": language() == "en",
        "comma": _(", "),
        "close": _("Close"),
        "loading": _("Loading…"),
        "not_loaded": _("Not loaded"),
        "error_status": _("The server answered {status}. Reload the page; if it stays, tell the administrator."),
        "offline": _("No connection to the server. What you see stays as it was; try again when you are connected."),
        "nobody_yet": _("nobody yet"),
        "no_head": _("Head not recorded"),
        "n_households": _("{n} households"),
        "n_households_short": _("{n} hh"),
        "n_people": _("{n} people"),
        "n_groups": _("{n} groups"),
        "n_overdue": _("{n} overdue"),
        "show_grid": _("Show whole grid"),
        "liaison": _("Liaison"),
        "leader": _("Grid leader"),
        "workers": _("Grid workers"),
        "open_cases": _("Cases not closed"),
        "code": _("Number"),
        "tier": _("Tier"),
        "why": _("Why"),
        "people": _("People"),
        "households_here": _("Households here"),
        "address": _("Address"),
        "grid": _("Grid / group"),
        "masked_note": _("Names are masked."),
        "hidden_note": _("Who lives here is not yours to see."),
        "purpose": _("Show in full, for …"),
        "purposes": purpose_labels(),
        "unmasked_note": _("Shown in full; the look is logged."),
        "number": _("Case"),
        "state": _("State"),
        "class": _("Class"),
        "reported": _("Reported"),
        "due": _("Due"),
        "closed": _("Closed"),
        "cases_here": _("{n} cases at this place"),
        "more_cases": _("{n} more here; zoom in to see them."),
        "nothing_found": _("Nothing found. Try a number, a family name, part of an address, or a grid such as 006."),
        "search_failed": _("Search did not answer. Try again."),
        "not_on_map": _("That household has no place on this map."),
        "not_in_village": _("You are not in this area; the map stays where it is."),
        "no_location": _("Your place could not be found. Allow location for this page, or go outside."),
        "outside_view": _("{n} hh outside this view"),
        "all_in_view": _("All in view"),
        "metre": _("m"),
        "kilometre": _("km"),
    }
