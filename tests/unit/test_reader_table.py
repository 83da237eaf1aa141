from __future__ import annotations

import io
import json
from typing import Any

import pytest

from veil.contracts import Malformed, Record
from veil.policy.tables import TableRoles
from veil.readers.problem import Problem
from veil.readers.table import rows

_NONE: dict[str, Any] = dict.fromkeys(("subject", "subject_type", "subject_system", "start", "code", "code_system"))
_PAIN = TableRoles(
    **{**_NONE, "subject": "mrn", "subject_type": "Patient", "subject_system": "http://h/mrn", "start": "time"},
    table="pain",
    id=("mrn", "time"),
    columns={"mrn": "subject", "time": "date", "score": "measure", "visit": "reference:Encounter"},
)
_PATIENTS = TableRoles(
    **{**_NONE, "subject": "Id", "subject_type": "Patient"},
    table="patients",
    id=("Id",),
    columns={
        "Id": "id",
        "PREFIX": "direct:NAME",
        "FIRST": "direct:NAME",
        "LAST": "direct:NAME",
        "SSN": "direct:SSN",
        "BIRTHDATE": "birth_date",
        "ZIP": "zip",
    },
)


def _rows(text: str | bytes, roles: TableRoles = _PAIN, **options: int) -> list[Record | Problem]:
    data = text.encode() if isinstance(text, str) else text
    return list(rows(io.BytesIO(data), roles, **options))


def test_a_row_is_a_record() -> None:
    (record,) = _rows("\ufeffMRN,Time,score,visit,other\r\n7|8,2025-01-02 03:04,5,v1,x\r\n")
    assert isinstance(record, Record)
    assert (record.key, record.subject) == ("pain/7%7C8|2025-01-02 03:04", "identifier:http://h/mrn|7|8")
    assert (record.start, record.references, record.aliases) == ("2025-01-02T03:04:00.000000Z", ("Encounter/v1",), ())
    expected = {"MRN": "7|8", "Time": "2025-01-02 03:04", "score": "5", "visit": "v1", "other": "x"}
    assert json.loads(record.content) == expected


def test_a_patient_table_names_its_patients() -> None:
    text = "Id,PREFIX,FIRST,LAST,SSN,BIRTHDATE,ZIP\np,Mrs.,Ana,Soto,000-12-3456,1950-02-03,01970\n"
    (record,) = _rows(text, _PATIENTS)
    assert isinstance(record, Record)
    assert (record.subject, record.aliases) == ("Patient/p", ("Patient/p",))
    assert {(one.kind, one.value, one.role) for one in record.known} == {
        ("NAME", "Ana Soto", "subject"),
        ("NAME", "Ana", "subject"),
        ("NAME", "Soto", "subject"),
        ("SSN", "000-12-3456", "subject"),
        ("DATE", "1950-02-03", "subject"),
        ("LOCATION", "01970", "subject"),
    }


def test_a_bad_row_costs_that_row_alone() -> None:
    data = b'mrn,time,score\n1,t\n2,"t,5\n3,t,5\n4,"a\nb",5\n5,\xff,5\n,,1\n6,"x"y,5\n' + b"7" * 90 + b"\n8,t,5\n"
    found = _rows(data, max_row=60)
    assert [one.id.partition("|")[0] for one in found if isinstance(one, Record)] == ["3", "4", "8"]
    problems = [one for one in found if isinstance(one, Problem)]
    assert [data[one.position : one.position + 1] for one in problems] == [b"1", b"2", b"5", b",", b"6", b"7"]
    assert not any("xff" in one.reason or "7" * 9 in one.reason for one in problems)


def test_a_quote_that_never_closes_does_not_swallow_the_file() -> None:
    data = 'mrn,time,score\n1,"t,5\n' + "".join(f"{n},t,5\n" for n in range(2, 50_002))
    found = _rows(data)
    assert sum(isinstance(one, Record) for one in found) == 50_000
    assert [one.position for one in found if isinstance(one, Problem)] == [15]


def test_rows_without_an_id_column_are_named_by_their_content() -> None:
    roles = TableRoles(**_NONE, table="t", id=(), columns={})
    first, again, other = _rows("a,b\n1,2\n1,2\n1,3\n", roles)
    assert isinstance(first, Record)
    assert isinstance(again, Record)
    assert isinstance(other, Record)
    assert first.id == again.id != other.id
    assert first.subject is None


@pytest.mark.parametrize("header", ["", "mrn,mrn,time", "mrn,,time", "score,mrn", "\xff"])
def test_a_bad_header_is_malformed(header: str) -> None:
    with pytest.raises(Malformed, match="header"):
        _rows((header + "\n1,2,3\n").encode("latin-1"))


def test_a_table_without_a_header_does_not_put_its_first_patient_into_the_error() -> None:
    with pytest.raises(Malformed) as error:
        _rows("Soto,000-12-3456,5\n")
    assert "Soto" not in str(error.value)
