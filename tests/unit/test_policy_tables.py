"""Role files: what the columns of a CSV table mean."""

from __future__ import annotations

from pathlib import Path

import pytest

import veil.policy
from veil.errors import VeilError
from veil.policy.tables import load_role_file, load_tables

SYNTHEA = Path(veil.policy.__file__).parents[1] / "packs" / "tables" / "synthea.toml"
PAIN = """
table = "pain_scores"
id = ["mrn", "time"]
subject = "mrn"
subject_system = "http://hospital.example/mrn"
start = "time"
[columns]
mrn = "subject"
time = "date"
score = "measure"
"""


def test_a_role_file_is_read_from_text_or_path(tmp_path: Path) -> None:
    path = tmp_path / "pain.columns.toml"
    path.write_text(PAIN, "utf-8")
    roles = load_role_file(path)
    assert roles == load_role_file(PAIN)
    assert (roles.id, roles.subject_type, roles.columns["score"]) == (("mrn", "time"), "Patient", "measure")


def test_the_built_in_tables_name_whom_a_row_is_about() -> None:
    tables = load_tables(SYNTHEA)
    assert tables["patients"].subject == "Id"
    assert tables["observations"].subject == "PATIENT"
    assert tables["providers"].subject_type == "Practitioner"
    assert all(table.subject for table in tables.values())


def test_every_reference_of_the_built_in_tables_leads_to_one_of_them() -> None:
    tables = load_tables(SYNTHEA)
    targets = {
        role.partition(":")[2]
        for table in tables.values()
        for role in table.columns.values()
        if role.startswith("reference:")
    }
    assert targets <= set(tables)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('score = "measure"', 'score = "number"', r"columns.score \(line 10\): a role is one of"),
        ('score = "measure"', 'score = "direct:SHOE"', "a role is one of"),
        ('subject = "mrn"', 'subject = "patient"', "names a column that .columns. lacks"),
        ('id = ["mrn", "time"]', 'ids = ["mrn"]', "key ids"),
        ('score = "measure"', 'MRN = "measure"', "differ only in case"),
        ("[columns]", "[columns", "not valid TOML"),
    ],
)
def test_a_mistake_in_a_role_file_is_told(old: str, new: str, said: str) -> None:
    with pytest.raises(VeilError, match=said):
        load_role_file(PAIN.replace(old, new))
