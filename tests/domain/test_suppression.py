from hypothesis import given
from hypothesis import strategies as st

from mapgrid.suppression import FEWEST_SHOWN, suppress_small

COLUMNS = ("red", "yellow", "green")


def test_small_counts_go_and_with_each_the_next_smallest_that_would_give_it_away():
    table = {"a": {"red": 2, "yellow": 9, "green": 40}}
    assert suppress_small(table) == {"a": {"red": None, "yellow": None, "green": 40}}


def test_none_at_all_is_shown_and_two_that_hide_each_other_need_no_third():
    table = {"a": {"red": 1, "yellow": 4, "green": 0}}
    assert suppress_small(table) == {"a": {"red": None, "yellow": None, "green": 0}}


def test_the_sums_of_columns_give_nothing_away_either():
    table = {"a": {"red": 2, "yellow": 3, "green": 40}, "b": {"red": 12, "yellow": 20, "green": 50}}
    assert suppress_small(table) == {
        "a": {"red": None, "yellow": None, "green": 40},
        "b": {"red": None, "yellow": None, "green": 50},
    }


def test_an_empty_table_stays_empty():
    assert suppress_small({}) == {}


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.fixed_dictionaries({column: st.integers(0, 60) for column in COLUMNS}),
        min_size=1,
    )
)
def test_no_small_count_is_shown_and_none_can_be_computed_from_one_sum(table):
    shown = suppress_small(table)
    for row, counts in table.items():
        for column, count in counts.items():
            assert shown[row][column] in (None, count)
            assert shown[row][column] is None or count == 0 or count >= FEWEST_SHOWN
    lines = [[shown[row][column] for column in COLUMNS] for row in shown]
    if len(shown) > 1:
        lines += [[shown[row][column] for row in shown] for column in COLUMNS]
    assert all(sum(count is None for count in line) != 1 for line in lines)
