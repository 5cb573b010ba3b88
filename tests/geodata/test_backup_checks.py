from dataclasses import replace
from datetime import UTC, datetime

import pytest

from geodata.backup.checks import compare
from geodata.backup.contents import Contents, TableContent
from geodata.backup.manifest import Manifest
from geodata.backup.surroundings import Surroundings

_CONTENTS = Contents(
    {"public.household": TableContent(2, "aa"), "public.person": TableContent(5, "bb")},
    {"public.person_id_seq": 5},
    {"policies": {"public.household.reads": "SELECT"}},
)
_MANIFEST = Manifest(
    datetime(2026, 11, 26, tzinfo=UTC), "0.1.0", "0001", 150018, "3.3.2", "mapgrid", _CONTENTS,
    Surroundings((), {}, (), (), (), ()), 1, "cc",
)  # fmt: skip


def _faults(found, *, is_same_server=True):
    checks = compare(_MANIFEST, found, is_same_server=is_same_server)
    return {check.subject: check.detail for check in checks if not check.passed}


def test_equal_contents_have_no_fault():
    assert _faults(_CONTENTS) == {}


def test_a_manifest_reads_back_as_it_was_written():
    assert Manifest.from_json(_MANIFEST.to_json()) == _MANIFEST


def test_another_row_a_missing_and_an_additional_table_are_told_with_both_counts():
    tables = {"public.household": TableContent(2, "ab"), "public.stranger": TableContent(1, "dd")}
    said = _faults(replace(_CONTENTS, tables=tables))["rows"]
    assert "public.household: expected 2 rows (aa), found 2 rows (ab)" in said
    assert "public.person: expected 5 rows (bb), found no table" in said
    assert "public.stranger: expected no table, found 1 rows" in said


@pytest.mark.parametrize(("last", "faults"), [(4, {"sequences"}), (5, set()), (9, set())])
def test_a_sequence_may_run_ahead_but_not_behind(last, faults):
    assert _faults(replace(_CONTENTS, sequences={"public.person_id_seq": last})).keys() == faults


def test_on_the_same_version_definitions_must_be_equal_on_another_none_may_be_missing():
    reworded = replace(_CONTENTS, definitions={"policies": {"public.household.reads": "Select", "new": ""}})
    missing = replace(_CONTENTS, definitions={})
    assert _faults(reworded) == {"policies": "new is too many; public.household.reads differs"}
    assert _faults(reworded, is_same_server=False) == {}
    assert _faults(missing, is_same_server=False) == {"policies": "public.household.reads is missing"}
