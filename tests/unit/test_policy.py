"""What a data engineer meets who edits policy: what loads, what is refused, and how it is said."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest

from veil.errors import Refused, VeilError
from veil.policy import Policy, load_policy, load_site

CONFIG = Path(__file__).parents[2] / "dags" / "config"
RESEARCH = CONFIG / "products" / "research.toml"
SITE = CONFIG / "site.toml"


@pytest.fixture
def product(tmp_path: Path) -> Path:
    return Path(shutil.copy(RESEARCH, tmp_path / "research.toml"))


def edited(path: Path, old: str, new: str) -> Path:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return path


def site(folder: Path, overlay: str) -> Path:
    path = folder / "site.toml"
    path.write_text(SITE.read_text("utf-8") + overlay, "utf-8")
    return path


def test_the_shipped_product_loads() -> None:
    policy = load_policy(RESEARCH, SITE)
    assert (policy.product, policy.profile, policy.epoch) == ("research", "safe_harbor", 1)
    assert len(policy.hash) == 64


def test_the_site_names_its_sources() -> None:
    assert [source.name for source in load_site(SITE).sources] == ["ehr"]


def test_modalities_listed_together_share_a_group_and_others_stand_alone() -> None:
    policy = load_policy(RESEARCH)
    assert policy.group_of("tabular") == policy.group_of("text") == "tabular+text"
    assert policy.group_of("photo") == "photo"
    with pytest.raises(VeilError, match="does not publish"):
        policy.group_of("audio")


def test_a_group_is_named_the_same_whatever_the_order_it_is_written_in(product: Path) -> None:
    swapped = edited(product, '["tabular", "text"]]', '["text", "tabular"]]')
    assert load_policy(swapped).group_of("text") == "tabular+text"


def test_a_worker_rebuilds_the_policy_without_files() -> None:
    policy = load_policy(RESEARCH, SITE)
    rebuilt = Policy.from_canonical(policy.canonical)
    assert rebuilt == policy
    assert rebuilt.plan == policy.plan
    travelled = pickle.loads(pickle.dumps(policy))  # noqa: S301 - what this test has pickled itself
    assert travelled.plan == policy.plan


def test_the_hash_changes_with_the_policy_and_with_nothing_else(product: Path, tmp_path: Path) -> None:
    before = load_policy(product).hash
    assert load_policy(edited(product, "# A data set", "# Another comment")).hash == before
    assert load_policy(product, site(tmp_path, '"fhir.Patient.gender" = "drop"\n')).hash != before
    assert load_policy(edited(product, "epoch = 1", "epoch = 2")).hash != before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epoch = 1", "epoch = 0", r"research.toml, key epoch \(line \d+\)"),
        ("epoch = 1", "epohc = 1", "research.toml, key epohc"),
        ('profile = "safe_harbor"', 'profile = "none"', r"key profile \(line 5\)"),
        ("epoch = 1", "epoch = ", "not valid TOML"),
        ('["hipaa_safe_harbor"]', '["hipaa"]', "hipaa.toml does not exist"),
        ('["tabular", "text"]]', '["tabular"], ["tabular"]]', "two linkage groups"),
        ('["tabular", "text"]]', '["tabular", "audio"]]', "does not publish"),
    ],
)
def test_a_mistake_is_told_by_file_key_and_line(product: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(VeilError, match=said):
        load_policy(edited(product, old, new))


def test_an_overlay_tightens(tmp_path: Path) -> None:
    overlay = """
"fhir.Patient.address.postalCode" = "drop"
"fhir.Patient.maritalStatus" = "drop"
"fhir.Observation" = "drop"
"fhir.Condition.recordedDate" = "birth_date"
"roles.text" = "drop"
"extension.http://hl7.org/fhir/us/core/StructureDefinition/us-core-race" = "drop"
"""
    plan = load_policy(RESEARCH, site(tmp_path, overlay)).plan
    assert "Observation" not in plan.types
    assert plan.roles["text"].treatment == "drop"


@pytest.mark.parametrize(
    "rule",
    [
        '"fhir.Patient.birthDate" = "keep"',
        '"fhir.Patient.birthDate" = "date"',
        '"fhir.Patient.name" = "text"',
        '"fhir.Patient.name.family" = "keep"',
        '"fhir.Patient.address.postalCode" = "text"',
        '"fhir.Patient.id" = "keep"',
        '"fhir.Device.serialNumber" = "drop"',
        '"fhir.Patient.address" = "text"',
        '"fhir.Condition.code.text" = "label"',
        '"roles.direct" = "text"',
        '"fhir.Patient.gender" = "text"',
        '"fhir.Patient.gender" = "type:Coding"',
        '"fhir.Condition.subject.reference" = "reference:Practitioner"',
        '"extension.http://example.org/mrn" = "keep"',
    ],
)
def test_a_loosening_overlay_is_refused_by_its_path(tmp_path: Path, rule: str) -> None:
    path = rule.split('"')[1]
    with pytest.raises(Refused) as refusal:
        load_policy(RESEARCH, site(tmp_path, rule + "\n"))
    assert path in str(refusal.value)


def test_several_packs_have_to_agree(product: Path) -> None:
    both = load_policy(edited(product, '["hipaa_safe_harbor"]', '["hipaa_safe_harbor", "gdpr"]')).plan
    gdpr = load_policy(edited(product, '["hipaa_safe_harbor", "gdpr"]', '["gdpr"]')).plan
    assert both == gdpr
    assert both.roles["zip"].treatment == "drop"
