"""Whatever stands in a ledger comes back from the file, cell by cell."""

import csv
import io
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.files import read_features
from geodata.files.cells import CellError, parse_code, parse_date, parse_reasons, parse_tier, parse_weight, text_of
from mapgrid.tiers import Tier

VILLAGE = "350524102201"
# Each example starts the reading child: few, but each of several rows.
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELLS = st.text(st.characters(codec="gb18030", exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=20)
ROWS = st.lists(
    st.tuples(CELLS, CELLS, st.floats(73.7, 134.0), st.floats(18.0, 53.0)),
    min_size=1,
    max_size=12,
)


def written(rows, encoding, delimiter):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["甲列", "乙列", "经度", "纬度"])
    writer.writerows(rows)
    return buffer.getvalue().encode(encoding)


@FEW
@given(rows=ROWS, encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]), delimiter=st.sampled_from(",;\t|"))
def test_a_csv_comes_back_cell_by_cell_in_any_encoding(tmp_path, rows, encoding, delimiter):
    (tmp_path / "h.csv").write_bytes(written(rows, encoding, delimiter))
    frame = read_features(str(tmp_path / "h.csv"), crs="4326")
    assert len(frame) == len(rows)
    assert frame.geometry.x.tolist() == pytest.approx([row[2] for row in rows])
    assert frame.geometry.y.tolist() == pytest.approx([row[3] for row in rows])
    assert frame.index.tolist() == list(range(2, len(rows) + 2))
    for name, position in (("甲列", 0), ("乙列", 1)):
        kept = [text_of(cell) for cell in frame[name]]
        assert [cell and float(cell) if is_number(cell) else cell for cell in kept] == [
            cell and float(cell) if is_number(cell) else cell for cell in (text_of(row[position]) for row in rows)
        ]


def is_number(cell):
    try:
        return math.isfinite(float(cell or ""))
    except ValueError:
        return False


@given(st.text(max_size=30))
def test_a_cell_is_a_value_or_says_what_was_expected(text):
    for parse in (parse_code(VILLAGE), parse_weight, parse_tier, parse_reasons, parse_date):
        try:
            outcome = parse(text)
        except CellError as error:
            outcome = error.expected
        assert outcome or parse is parse_reasons


@given(st.integers(1, 999_999))
def test_a_serial_number_and_the_whole_code_are_one_household(serial):
    parse = parse_code(VILLAGE)
    assert parse(str(serial)) == parse(f"{serial:06d}") == parse(parse(str(serial))) == f"{VILLAGE}{serial:06d}"


@pytest.mark.parametrize("word", ["红", "红色", "红户", "红码", "RED", "Red", "Ｒ", " 红 ".strip()])
def test_each_word_for_red_is_red(word):
    assert parse_tier(word) == Tier.RED


@pytest.mark.parametrize(
    "text", ["2026-03-05", "2026/3/5", "20260305", "2026年3月5日", "2026.3.5", "2026-03-05T00:00:00"]
)
def test_each_way_to_write_a_day_is_that_day(text):
    assert parse_date(text).isoformat() == "2026-03-05"


@pytest.mark.parametrize("text", ["2026-13-05", "2026-02-30", "yesterday", "5/3/2026"])
def test_a_day_that_is_none_is_refused(text):
    with pytest.raises(CellError):
        parse_date(text)
