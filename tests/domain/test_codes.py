import pytest

from mapgrid import codes
from mapgrid.errors import CodeError


def test_a_grid_code_is_its_village_and_three_digits():
    assert codes.grid_code("990101102201", 6) == "990101102201006"
    assert codes.GRID_PATTERN.fullmatch("990101102201006")


def test_a_village_code_names_its_town_and_district():
    assert codes.parent_of("990101102201") == "990101102"
    assert codes.parent_of("990101102") == "990101"
    assert codes.parent_of("990101") is None


@pytest.mark.parametrize(
    "code", ["", "99010110220", "990101602201", "99010110220a", "９９0101102201", "990101102201006"]
)
def test_a_code_of_other_digits_is_refused_with_what_was_found(code):
    with pytest.raises(CodeError, match="12 digits"):
        codes.check_village_code(code)


def test_a_serial_out_of_its_digits_is_refused():
    with pytest.raises(CodeError, match="1–999"):
        codes.grid_code("990101102201", 1000)
