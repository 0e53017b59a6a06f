"""Whatever people call CSV is read; what is none is named in one message."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.people_import.mapping import Fact, Mapping
from launcher.people_import.problem import FileRefused, Problem
from launcher.people_import.reading import Row, Sheet, read

COLUMNS: dict[Fact, str] = {
    "employee_number": "No.",
    "family_name": "Surname",
    "manager": "Manager No.",
    "hired_on": "Hired",
}
MAPPING = Mapping(columns=COLUMNS)
HEADER = "No.,Surname,Manager No.,Hired"


def sheet(folder: Path, content: str | bytes, mapping: Mapping = MAPPING) -> Sheet:
    source = folder / "export.csv"
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(source, mapping)


def numbers(found: Sheet) -> list[str]:
    return [row.cells["employee_number"] for row in found.rows() if isinstance(row, Row)]


def problems(found: Sheet) -> list[Problem]:
    return [row for row in found.rows() if isinstance(row, Problem)]


def lines(found: Sheet) -> list[int]:
    return [row.number if isinstance(row, Row) else row.row for row in found.rows()]


names = st.text(st.characters(codec="cp1252", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=12)
written = st.fixed_dictionaries({"Surname": names, "No.": st.from_regex(r"\A[0-9]{1,6}\Z"), "Note": names})


@given(
    people=st.lists(written, min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    quoted=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    order=st.permutations(["No.", "Surname", "Manager No.", "Hired", "Note"]),
    blanks=st.sampled_from(["", " ", "  ", "\u00a0"]),
)
def test_any_dialect_in_any_encoding_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    people: list[dict[str, str]],
    delimiter: str,
    encoding: str,
    quoted: bool,
    ending: str,
    order: list[str],
    blanks: str,
) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(
        text, order, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator=ending
    )
    writer.writeheader()
    writer.writerows({name: f"{blanks}{person.get(name, '')}{blanks}" for name in order} for person in people)
    found = sheet(tmp_path_factory.mktemp("dialect"), text.getvalue().encode(encoding))
    rows = [row for row in found.rows() if isinstance(row, Row)]
    assert [(row.cells["employee_number"], row.cells["family_name"]) for row in rows] == [
        (person["No."], person["Surname"]) for person in people
    ]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused_with_a_message(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    with pytest.raises(FileRefused) as refused:
        sheet(folder, content)
    assert str(folder / "export.csv") in str(refused.value)


@given(st.text(max_size=300))
def test_any_text_below_a_header_is_rows_or_problems_of_rows(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    text = f"{HEADER}\n{content}".encode("utf-8", "replace")
    found = sheet(tmp_path_factory.mktemp("text"), text)
    assert all(line > 1 for line in lines(found))


NO_CSV = {
    b"": "is empty",
    b" \r\n\n": "is empty",
    b"\xef\xbb\xbf": "is empty",
    b"<!DOCTYPE html><html></html>": "looks like a web page",
    b"\n  <html>": "looks like a web page",
    b'{"employees": []}': "looks like JSON",
    b"PK\x03\x04rest": "is an Excel workbook",
    b"\xd0\xcf\x11\xe0rest": "is an old Excel workbook",
    b"%PDF-1.7": "is a PDF",
    b"\x7fELF\x02\x00\x00": "is a binary file",
    b"\x81\x8d\x8f": "is not written in utf-8-sig or windows-1252",
    b"just a sentence": "lacks columns: No., Surname, Manager No., Hired",
}


@pytest.mark.parametrize(("content", "message"), NO_CSV.items())
def test_what_is_no_csv_is_named_in_one_message(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FileRefused, match=message.replace(".", r"\.")):
        sheet(tmp_path, content)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"nothing\.csv cannot be read: No such file"):
        read(tmp_path / "nothing.csv", MAPPING)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read: Is a directory"):
        read(tmp_path, MAPPING)


def test_a_column_that_is_missing_is_named_with_what_it_may_be_called(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"lacks columns: Surname \(is it 'surnames'\?\)") as refused:
        sheet(tmp_path, "No.,Surnames,Manager No.,Hired\n1,Quist,,2020-01-31\n")
    assert "Its header is: No., Surnames, Manager No., Hired." in str(refused.value)


def refusal(folder: Path, content: str, mapping: Mapping = MAPPING) -> str:
    with pytest.raises(FileRefused) as refused:
        sheet(folder, content, mapping)
    return str(refused.value)


def test_without_a_mapping_all_that_is_missing_is_named_at_once_with_the_way_out(tmp_path: Path) -> None:
    header = "EMPLOYEE_ID,FIRST_NAME,LAST_NAME,PHONE_NUMBER,HIRE_DATE,MANAGER_ID,COUNTRY_ID"
    said = refusal(tmp_path, f"{header}\n1,Ada,Quist,555,2020-01-31,,US\n", Mapping())
    missing = "employee_number, family_name, manager, legal_entity, pay_group, country, hired_on"
    assert f"lacks columns: {missing}.\n" in said
    assert "--mapping MAP.toml" in said
    assert "export.toml" in said


def test_what_a_mapping_gives_without_a_column_is_not_missing(tmp_path: Path) -> None:
    said = refusal(tmp_path, "hired_on\n2020-01-31\n", Mapping(defaults={"country": "US", "pay_group": "US-MONTHLY"}))
    assert "lacks columns: employee_number, family_name, manager, legal_entity.\n" in said


def test_what_a_mapping_does_not_speak_of_is_named_with_the_columns(tmp_path: Path) -> None:
    mapping = Mapping(columns=COLUMNS, defaults={"country": "US"})
    said = refusal(tmp_path, "No.,Manager No.,Hired\n1,,2020-01-31\n", mapping)
    assert "lacks columns: Surname.\n" in said
    assert "The mapping does not say anybody's legal_entity, pay_group either." in said


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("employee_number", "PHONE_NUMBER"),
        ("family_name", "FIRST_NAME"),
        ("LAST_NAME", "FIRST_NAME"),
        ("country", "County"),
        ("hired_on", "Rehired on"),
        ("MIN_SALARY", "MAX_SALARY"),
        ("#", "%"),
    ],
)
def test_a_column_of_another_meaning_is_not_suggested(tmp_path: Path, name: str, title: str) -> None:
    said = refusal(tmp_path, f"{title},Note\n1,x\n", Mapping(columns={"employee_number": name}))
    assert f"lacks columns: {name}.\n" in said


@pytest.mark.parametrize("title", ["Employee Number", "EMPLOYEENUMBER", "employee-numbers", "Employee number:"])
def test_the_same_words_written_otherwise_are_suggested(tmp_path: Path, title: str) -> None:
    said = refusal(tmp_path, f"{title},Note\n1,x\n", Mapping(columns={"employee_number": "employee_number"}))
    assert f"lacks columns: employee_number (is it {title.casefold()!r}?).\n" in said


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="has the column Hired more than once"):
        sheet(tmp_path, f"{HEADER},hired\n1,Quist,,2020-01-31,2021-01-31\n")


def test_titles_are_compared_without_case_and_blanks(tmp_path: Path) -> None:
    assert numbers(sheet(tmp_path, " NO. ,SURNAME,manager no.,Hired\n7,Quist,,x\n")) == ["7"]


def test_a_title_and_the_mark_of_a_spreadsheet_may_stand_before_the_header(tmp_path: Path) -> None:
    content = "sep=;\nEmployees of 2026\n\nNo.;Surname;Manager No.;Hired\n\n7;Quist;;x\n"
    found = sheet(tmp_path, content)
    assert numbers(found) == ["7"]
    assert lines(found) == [6]


def test_a_row_of_another_width_is_a_problem_of_that_row(tmp_path: Path) -> None:
    found = sheet(tmp_path, f"{HEADER}\n1,Quist,,x\n2,Quist\n3,Quist,,x,more\n4,Quist,,x,,\n")
    assert numbers(found) == ["1", "4"]
    assert [(p.row, p.reason) for p in problems(found)] == [
        (3, "has 2 fields, the header has 4"),
        (4, "has 5 fields, the header has 4"),
    ]


def test_a_quotation_mark_that_is_never_closed_costs_its_row_alone(tmp_path: Path) -> None:
    rows = "".join(f"{number},Quist,,x\n" for number in range(100))
    found = sheet(tmp_path, f'{HEADER}\nA,"Quist,,x\n{rows}B,"O""Neil",,x\n')
    assert numbers(found) == [*map(str, range(100)), "B"]
    assert [p.row for p in problems(found)] == [2]


def test_a_cell_may_go_over_several_lines(tmp_path: Path) -> None:
    found = sheet(tmp_path, f'{HEADER}\n1,"Quist\nof Lund",,x\n2,Quist,,x\n')
    assert [row.cells["family_name"] for row in found.rows() if isinstance(row, Row)] == ["Quist of Lund", "Quist"]


def test_blanks_behind_a_quotation_mark_do_no_harm(tmp_path: Path) -> None:
    assert numbers(sheet(tmp_path, f'{HEADER}\n"1" , "Quist" ,"" ,"x" \n')) == ["1"]


def test_the_mapping_may_state_delimiter_and_encoding(tmp_path: Path) -> None:
    mapping = Mapping(columns=COLUMNS, delimiter=":", encoding="cp850")
    found = sheet(tmp_path, "No.:Surname:Manager No.:Hired\n1:Müller::x\n".encode("cp850"), mapping)
    assert [row.cells["family_name"] for row in found.rows() if isinstance(row, Row)] == ["Müller"]
