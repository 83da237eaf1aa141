"""What the gate's text detector blocks, and the clinical language that it must let pass."""

from __future__ import annotations

import time

import pytest

from veil.detect.canaries import text_canaries
from veil.detect.text import RULES, leaks

LEAKS = {
    "ssn": ["SSN 123-45-6789", "his number 123 45 6789 on file"],
    "phone": [
        "call 617-555-0182",
        "(617) 555-0182",
        "617.555.0182",
        "+1 617 555 0182",
        "+44 20 7946 0958",
        "cell: 5550182",
        "on 07700 900 123",
    ],
    "email": ["write to j.doe+x@mail.example.org", "JDOE@EXAMPLE.ORG"],
    "url": ["see www.example.org", "http://example.org/x", "on example.com"],
    "ip": ["from 192.0.2.44", "from 2001:db8::8a2e:370:7334"],
    "date-finer-than-year": [
        "on 3/14/2019",
        "2019-03-14",
        "2019-03-14T08:00:00Z",
        "March 14, 2019",
        "14 March 2019",
        "14-MAR-2019",
        "3/14/19",
        "March 2019",
        "03/2019",
        "June 3rd",
        "on 3/15",
        "admitted July 4",
        "14.03.2019",
        "2019-03",
    ],
    "age-over-89": ["a 93-year-old man", "aged 94", "91 y/o", "101 yo female", "Age: 95", "ninety-two year old"],
    "name-after-title": ["Mr. Walker came", "Dr Hallorweg", "DR. HALLORWEG", "Mrs. O'Brien", "Nurse Hallorweg"],
    "name-after-label": ["Patient: Quillon Vasterby", "Attending: VASTERBY, QUILLON", "Signed by: Quillon Vasterby"],
    "id-after-label": ["MRN 40817263", "MRN: A-408172", "account number 40817263", "policy #: XK-4081726"],
    "street": [
        "at 1427 Elmhurst Avenue",
        "12 N. Main St, upstairs",
        "P.O. Box 120",
        "1427 ELMHURST AVENUE",
        "5 Oak Dr",
    ],
    "zip-plus-city": ["Springfield, IL 62704", "BOSTON MA 02134-1000"],
    "card": ["4111-1111-1111-1111", "378282246310005", "3782 822463 10005"],
}

CLEAN = [
    "BP 120/80, HR 72, RR 16, SpO2 98% on room air, temp 98.6 F, BMI 24.5.",
    "Strength 5/5 in all extremities; pain decreased from 8/10 to 4/10. Murmur 3/6. GCS 15.",
    "Na 138, K 4.1, Cl 101, CO2 24, BUN 14, Cr 0.9, glucose 105, WBC 7.2, Hgb 13.5, Plt 250000.",
    "Metformin 500 mg twice daily, lisinopril 10-20 mg, insulin 10 units, may 2 tablets at night.",
    "Type 2 diabetes (E11.9), SNOMED 44054006, LOINC 4548-4, RxNorm 860975, CPT 99213, ICD-10-CM M54.50.",
    "Parkinson disease, Crohn disease, McMurray sign, Babinski sign, Hodgkin lymphoma, Foley catheter.",
    "[NAME] saw Dr. [NAME] in [DATE] and 2021. MRN: [MRN]. Call [PHONE]. Lives at [LOCATION]. Age 90+.",
    "Ms. [NAME] is a 67-year-old female. Mr. [NAME] states that he is well. Dr. [NAME], MD.",
    "Follow up in 2 weeks. Nurse Practitioner visit. Doctor Visit. Miss doses rarely.",
    "T1 and T2 images at L4-L5; 3 x 4 x 2 cm mass. EF 55-60%. MS stable. MR of the knee. DR of the chest.",
    "History since 2015; surgery 2012; guidelines 2019-20. Smoked 1 ppd for 30 years. 95 years ago.",
    "Oxygen at 2 L/min at 4 PM Dr. [NAME] was paged. Patient: Alert and oriented. Attending: Internal Medicine.",
    "Ratio 1:1:30, time 12:30:15, version 1.2.3, range 200-1000, titer 1:160, 20/20 vision, O2 sat 90-95.",
]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in LEAKS.items() for text in texts])
def test_an_identifier_is_seen(rule: str, text: str) -> None:
    assert rule in leaks(text, profile="safe_harbor")


@pytest.mark.parametrize("text", CLEAN)
def test_clinical_language_passes(text: str) -> None:
    assert leaks(text, profile="safe_harbor") == []


def test_shifted_dates_pass_under_expert_and_nothing_else_does() -> None:
    text = "Seen 3/14/2019, 03-14-2019 and 01.02.2019 10:30 by Dr. Hallorweg."
    assert leaks(text, profile="expert") == ["name-after-title"]
    assert "date-finer-than-year" in leaks(text, profile="safe_harbor")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("ssn", "On file 123\u201145\u20116789."),
        ("ssn", "On file 12\u00ad3-45-6789."),
        ("phone", "Reached at 617\u200b-555-0182."),
        ("date-finer-than-year", "Seen March\u00a014, 2019."),
    ],
)
def test_what_only_looks_different_is_seen(rule: str, text: str) -> None:
    assert rule in leaks(text, profile="safe_harbor")


def test_a_tag_hides_no_value() -> None:
    assert "ssn" in leaks("[SSN 123-45-6789]", profile="safe_harbor")
    assert "phone" in leaks("[PHONE] 617-555-0182", profile="safe_harbor")


@pytest.mark.parametrize("profile", ["safe_harbor", "expert"])
def test_every_canary_is_flagged_by_a_critical_rule(profile: str) -> None:
    for canary in text_canaries(profile):  # type: ignore[arg-type]
        assert any(RULES[rule].severity == "critical" for rule in leaks(canary, profile=profile))  # type: ignore[arg-type]


def test_every_critical_rule_has_a_canary_of_its_own() -> None:
    flagged = [leaks(canary, profile="safe_harbor") for canary in text_canaries("safe_harbor")]
    critical = {rule for rule, what in RULES.items() if what.severity == "critical"}
    assert {rules[0] for rules in flagged if len(rules) == 1} == critical


@pytest.mark.parametrize(
    "piece", ["a", "1", "1 ", "A", "a.", "1-", ":", "a@", "12 Aa ", "Dr. ", "January ", "patient "]
)
def test_hostile_text_takes_linear_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    began = time.perf_counter()
    leaks(text, profile="safe_harbor")
    assert time.perf_counter() - began < 5
