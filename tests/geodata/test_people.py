"""Staff and people leave the store masked."""

from datetime import date

from drawn_village import NOW, VILLAGE, household, save_drawn_village

from geodata.people import load_people, load_staff
from mapgrid.staff import StaffRole

ON = NOW.date()


def test_staff_come_by_grid_liaison_first_with_masked_names_and_telephones(session):
    save_drawn_village(session)
    staff = load_staff(session, VILLAGE, ON)
    assert [(person.grid[-3:], person.role, person.name, person.phone) for person in staff] == [
        ("001", StaffRole.LIAISON, "林**", "000****1111"),
        ("001", StaffRole.LEADER, "许**", "000****0000"),
        ("002", StaffRole.LEADER, "许**", "000****0000"),
    ]


def test_a_service_that_has_ended_is_only_seen_on_its_days(session):
    save_drawn_village(session)
    workers = [staff.name for staff in load_staff(session, f"{VILLAGE}001", date(2026, 1, 15))]
    assert "黄**" in workers
    assert load_staff(session, VILLAGE, date(2025, 12, 31)) == []


def test_people_of_a_household_come_masked_head_first_and_without_identity_numbers(session):
    save_drawn_village(session)
    head, child = load_people(session, household(0))
    assert (head.name, head.is_head, head.birth_year, head.phone) == ("张**", True, 1970, "000****5678")
    assert (child.name, child.relation, child.birth_year, child.phone) == ("张**", "子女", 2001, "")
    assert "id_number" not in type(head).__dataclass_fields__
