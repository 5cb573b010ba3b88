import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapgrid.exports import harmless_cell, restored_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋1", "－1", "＠x"])
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text):
    assert harmless_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "赵敏", "1", "a=b", "'quoted", "''"])
def test_other_text_comes_back_as_it_was(text):
    assert restored_cell(harmless_cell(text)) == text


@given(st.text())
def test_every_text_comes_back(text):
    assert restored_cell(harmless_cell(text)) == text
