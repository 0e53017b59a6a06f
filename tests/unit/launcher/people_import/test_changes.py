"""A second run changes nothing; a changed row is one revision more; ids stay."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.people_import.roster import Roster
from shared.schemas.people import CompensationRecord, PersonRecord
from tests.unit.launcher.people_import.exports import imported, published, row

PAY = {"range_minimum": "4000", "range_maximum": "9000", "currency": "USD", "per": "month"}


def test_who_is_seen_first_gets_an_id_and_revision_one(tmp_path: Path) -> None:
    found = imported(tmp_path, [row("2", "1"), row("1")]).changes
    people = {record.employee_number: record for record in found.records if isinstance(record, PersonRecord)}
    assert (found.new, found.changed, found.unchanged) == (2, 0, 0)
    assert people["2"].manager == people["1"].person
    assert {record.revision for record in found.records} == {1}


def test_a_second_run_of_the_same_file_publishes_nothing(tmp_path: Path) -> None:
    rows = [row("1", base_salary="5000", **PAY), row("2", "1")]
    roster = published(imported(tmp_path, rows).changes)
    again = imported(tmp_path, rows, roster=roster).changes
    assert again.records == []
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)


def test_another_way_of_writing_the_same_is_no_change(tmp_path: Path) -> None:
    roster = published(imported(tmp_path, [row("1", base_salary="5000", fte="1", **PAY)]).changes)
    same = row("1", base_salary="5,000.00", fte="1.0", hired_on="31-Jan-2020", **PAY)
    assert imported(tmp_path, [same], roster=roster).changes.records == []


def test_a_changed_row_is_the_next_revision_of_the_same_person(tmp_path: Path) -> None:
    roster = published(imported(tmp_path, [row("1"), row("2", "1")]).changes)
    found = imported(tmp_path, [row("1"), row("2", "1", family_name="Ek")], roster=roster).changes
    (record,) = found.records
    assert isinstance(record, PersonRecord)
    assert (record.person, record.revision, record.family_name) == (roster.numbers()["2"], 2, "Ek")
    assert (found.new, found.changed, found.unchanged) == (0, 1, 1)


def test_another_salary_changes_the_pay_record_alone(tmp_path: Path) -> None:
    roster = published(imported(tmp_path, [row("1", base_salary="5000", **PAY)]).changes)
    found = imported(tmp_path, [row("1", base_salary="5500", **PAY)], roster=roster).changes
    (record,) = found.records
    assert isinstance(record, CompensationRecord)
    assert (record.revision, record.base_salary.minor) == (2, 550_000)
    assert found.changed == 1


def test_an_export_without_pay_leaves_the_pay_as_it_is(tmp_path: Path) -> None:
    roster = published(imported(tmp_path, [row("1", base_salary="5000", **PAY)]).changes)
    assert imported(tmp_path, [row("1")], roster=roster).changes.records == []


def test_who_is_not_mentioned_stays_and_is_counted(tmp_path: Path) -> None:
    roster = published(imported(tmp_path, [row("1"), row("2"), row("3")]).changes)
    found = imported(tmp_path, [row("1"), row("2", hired_on="soon")], roster=roster)
    assert found.not_mentioned == 1
    assert found.changes.records == []


@given(
    versions=st.lists(
        st.dictionaries(st.sampled_from("12345"), st.sampled_from(["Ek", "Lund", "Quist"]), min_size=1), max_size=5
    )
)
def test_after_any_imports_the_feed_says_what_each_person_was_last_said_to_be(
    tmp_path_factory: pytest.TempPathFactory, versions: list[dict[str, str]]
) -> None:
    folder, roster, said = tmp_path_factory.mktemp("imports"), Roster(), dict[str, str]()
    for version in versions:
        rows = [row(number, family_name=name) for number, name in version.items()]
        before = {number: roster.people[person].revision for number, person in roster.numbers().items()}
        changed = {number for number, name in version.items() if said.get(number) != name}
        said |= version
        published(imported(folder, rows, roster=roster).changes, roster)
        assert {roster.people[p].employee_number: roster.people[p].family_name for p in roster.people} == said
        for number, person in roster.numbers().items():
            assert roster.people[person].revision == before.get(number, 0) + (number in changed)
