"""Geography finer than a state, and facilities: 164.514(b)(2)(i)(B)."""

from __future__ import annotations

import re

from veil.surrogates import is_surrogate
from veil.transforms.text.words import WORD, lexicon, lines

from .rule import Rule

_I = re.IGNORECASE
ABBREVIATIONS = "|".join(line.split()[0] for line in lines("states.txt"))
_NAMES = "|".join(sorted((line.split(maxsplit=1)[1] for line in lines("states.txt")), key=len, reverse=True))
_STATE = rf"(?:(?i:{_NAMES})|(?:{ABBREVIATIONS}))"
_CLINICAL_STATES = "AL AR CO CT DE HI ID IN LA MA MD ME MI MS OK OR PA PR SC VA ND"
_CLINICAL = frozenset(_CLINICAL_STATES.split())
"""Abbreviations of states that are clinical ones too."""
SUFFIXES = (
    r"street|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|circle|cir|place|"
    r"pl|terrace|ter|parkway|pkwy|"
    r"highway|hwy|way|trail|trl|square|sq|loop|alley|plaza|pike|turnpike|crescent|close|row|"
    r"walk|run|path|ridge|crossing|commons"
)
_UNIT = r"(?:[, ]{1,2}(?:apt|apartment|suite|ste|unit|room|rm|floor|fl|bldg|building|#)\.? ?#?[A-Z0-9-]{1,6}\b)?"
_CITY = r"[A-Z][A-Za-z.'-]{1,24}(?: [A-Z][A-Za-z.'-]{1,24}){0,3}"
_ZIP = r"\d{5}(?:-\d{4})?"
_SENTENCE = re.compile(
    r"\b(?:mg|ml|mcg|u|units|iu|tabs?|days?|weeks?|months?|hours?|minutes?|years?|times|tablets?|steps?|miles?|"
    r"to|the|by|in|with|for|was|is)\b",
    re.IGNORECASE,
)
_TRACING = re.compile(r"\b(?:mm|cm|fr)\b|\bST\Z|\.\s", re.IGNORECASE)
"""No street: a segment of an electrocardiogram, a size, the end of a sentence."""
_FACILITY = (
    r"Hospitals?|Clinics?|Medical (?:Center|Centre|Group|Associates|Campus|Practice)|Health (?:Center|Centre|System|"
    r"Care Center|"
    r"Network|Plan|Department|Services|Partners)|Healthcare|Infirmary|Sanatorium|Nursing (?:Home|Center|Facility|"
    r"& Rehab|and Rehab)|"
    r"Rehab(?:ilitation)?(?: Center| Hospital| Institute)?|Hospice|Surgery Center|Surgical (?:Center|Associates)|"
    r"Cancer (?:Center|Institute)|Heart (?:Center|Institute|Group)|Pharmacy|Dispensary|Assisted Living|Care (?:Home|"
    r"Center)|"
    r"University|College|Elementary(?: School)?|High School|Academy|Middle School|School District|"
    r"Correctional Facility|"
    r"Senior (?:Living|Center)|Family (?:Medicine|Practice|Health)|Internal Medicine|Laborator(?:y|ies)|Labs|"
    r"(?:Imaging|Dialysis|Kidney|Birth|Birthing|Wound|Eye|Infusion|Recovery|Treatment|Community|Day|Learning|"
    r"Distribution|"
    r"Outpatient|Counseling|Wellness|Detention|Fertility|Spine|Pain|Sleep|Childcare) (?:Center|Centre|Clinic|"
    r"Institute)|"
    r"Urgent Care|Dialysis|Imaging|Radiology|Nephrology|Orthop(?:a?e)dics|P(?:a?e)diatrics|Cardiology|Dermatology|"
    r"Oncology|"
    r"Neurology|Gastroenterology|Urology|Psychiatry|Dental|Dentistry|Obstetrics|OB-?/?GYN|Manor|Convalescent|"
    r"Retirement Community|"
    r"Church|Parish|Temple|Mosque|Synagogue|Shelter|Preschool|Daycare|Prison|Jail|Library|Museum|"
    r"Inc\.?|LLC|L\.L\.C\.|Corp(?:oration|\.)?|Ltd\.?|Company|Co\.|Group|Associates|Partners|Holdings|Industries|"
    r"Manufacturing|"
    r"Logistics|Freight|Trucking|Transport(?:ation)?|Construction|Foods|Farms|Steel|Motors|Airlines|Insurance|Bank|"
    r"Credit Union|Electric|Plumbing|Roofing|Consulting|Technologies|Systems|Solutions|Warehouse|Shipyard|Rail Yard|"
    r"Railroad|"
    r"Home Health|Veterans Home|Psychiatric Institute|Institute|Regional|Memorial|Children's|Drugstore|Lab|Supply|"
    r"Fitness|"
    r"Gym|School|Shipyards|Foundry|Mills?|Bakery|Diner|Restaurant|Hotel|Casino|Brewery|Lumber|Supermarket|Grocery|"
    r"Packing|Textiles"
)
_PROPER = r"(?:(?:St|Mt|Ft)\. ?)?[A-Z][A-Za-z'&-]{1,24}"
_COMMON = (
    "The|This|That|Our|Your|Her|His|Their|An?|In|At|To|From|Of|Emergency|Outpatient|Inpatient|"
    "Pain|Acute|Primary|Psychiatric|Local|"
    "General|Community|Regional|Mobile|Home|Skilled|Cardiac|Pulmonary|Physical|Current|Prior|"
    "Any|Dental|Eye|Wound|Follow-?[Uu]p|Admitted|"
    "Specialty|Walk-[Ii]n|Urgent|Retail|Mental|Behavioral|Teaching|Another|Outside|Coumadin|"
    "Anticoagulation|Diabetes|Oncology|Cardiology|P(?:a?e)diatrics?|Interventional|Vascular|Thoracic|General|"
    "Nuclear|Diagnostic|"
    "Adult|Geriatric|Gynecologic|Surgical|Medical|Radiation|Hematology|Neuro|Clinical|Child|Adolescent|Consult|"
    "Refer|Call|Follow|"
    "Per|With|By|For|See|Re|And|Or|If|No|New|Old|Hand|Sports|Electrodiagnostic|Invasive|Preventive|Transplant|"
    "Cosmetic|Electro|"
    "Critical|Intensive|Burn|Support|Focus|Study|Control|Treatment|Placebo|Muscle|Blood|Age|Peer|Risk|Food|Hearing|"
    "Chest|Brain|"
    "Abdominal|Renal|Hepatic|Women's|Men's|Maternal|Fetal|Neonatal|Advanced|Stress|Prenatal|Cross|Functional|"
    "Molecular|Bedside|"
    "Point|Ultrasound|MRI|CT|PET|Cardiovascular|Musculoskeletal|Respiratory|Immune|Nervous|Digestive|Endocrine|"
    "Reproductive|"
    "Organ|Body|Review|Central|Peripheral|Autonomic|Skeletal|Urinary|Lymphatic|Delivery|Support|Nutrition|Private|"
    "Public|Health|"
    "Life|Social|Occupational|Speech|Group|Individual|Family|Medicaid|Medicare"
)


def _street(text: str) -> bool:
    """Tell an address from a sentence that a number and a title, "Dr.", happen to enclose."""
    if _SENTENCE.search(text) or _TRACING.search(text):
        return False
    words = lexicon()
    between = WORD.findall(text)[:-1]
    year = re.match(r"(?:19|20)\d\d ", text)
    return not year or not any(word.islower() or word.lower() in words.everyday for word in between)


def _city(text: str) -> bool:
    """Tell a place from a list of findings: "Akron, OH" from "Stroke, MI"."""
    words = lexicon()
    city = [word for word in WORD.findall(text.split(",")[0]) if len(word) > 2 and word.lower() not in words.everyday]
    state = text.rsplit(",", 1)[-1].strip()
    if state in ("MD", "PA") and len(city) > 1 and (city[0].lower() in words.given or is_surrogate(city[0])):
        return False  # a physician, or a physician assistant
    if state in _CLINICAL:
        return any(words.suspect(word, initial=False) for word in city)
    return any(word[0].isupper() and not word.isupper() for word in city)


def _named_street(text: str) -> bool:
    """Tell "spindle street" from "the street" and "main road"."""
    first = text.split()[0]
    return first not in lexicon().everyday and first not in ("main", "open", "side", "dirt", "busy", "same")


def _facility_any_case(text: str) -> bool:
    """Tell whether a word in front of what a place is, is no ordinary word: "westgate general", "FERNHOLM HOSPITAL"."""
    words = lexicon()
    found = [word.lower() for word in WORD.findall(text)]
    return any(not words.common(word) and word not in words.eponyms for word in found[:-1])


RULES = (
    Rule(
        "street",
        "LOCATION",
        re.compile(
            r"(?<![\w./-])\d{1,6}(?:-?[A-Z])?(?:-\d{1,5})?[ ]{1,2}(?:[NSEW]{1,2}\.? |(?:north|south|east|west) )?"
            rf"(?:[A-Za-z0-9][A-Za-z0-9.'-]{{0,23}}[ ]{{1,2}}){{1,4}}?(?:{SUFFIXES})\b\.?{_UNIT}"
            rf"(?:[ ,\n]{{1,4}}{_CITY}[ ,\n]{{1,4}}{_STATE}\b)?(?:[ ,\n]{{1,4}}{_ZIP}\b)?(?!\d)",
            _I,
        ),
        _street,
    ),
    Rule(
        "street_name",
        "LOCATION",
        re.compile(
            r"\b(?:[A-Z][a-z]{2,20} ){1,3}(?:Street|Avenue|Ave\b\.?|Road|Rd\b\.?|Blvd\b\.?|Boulevard|Lane|Ln\b\.?|"
            r"Highway|Hwy\b\.?|"
            r"Parkway|Pkwy\b\.?|Turnpike|Terrace)\b"
        ),
    ),
    Rule(
        "street_lower",
        "LOCATION",
        re.compile(
            r"\b(?:on|at|off|near|along|by) (?P<id>[a-z]{3,20}(?: [a-z]{3,20})? (?:street|avenue|boulevard|road|"
            r"lane|highway))\b"
        ),
        _named_street,
    ),
    Rule(
        "route",
        "LOCATION",
        re.compile(
            r"\b(?:(?:Route|Rte\.?|Highway|Hwy\.?|Interstate|County Road|Rural Route)[ -]\d{1,4}(?: Box \d{1,6})?|"
            r"RR ?#? ?\d{1,4},? Box \d{1,6})\b",
            _I,
        ),
    ),
    Rule("unit", "LOCATION", re.compile(r"\b(?:apt|apartment|suite|ste)\.? ?#? ?(?=[a-z]?\d)[a-z0-9-]{1,6}\b", _I)),
    Rule(
        "po_box", "LOCATION", re.compile(r"\b(?:p\.? ?o\.? ?box|post office box|pmb|rural route)[ #]{1,3}\d{1,8}\b", _I)
    ),
    Rule(
        "military",
        "LOCATION",
        re.compile(r"\b(?:PSC|Unit|CMR|USNS|USS|USNV|USCGC)\b[^\n]{1,30}[\n ,]{1,3}(?:APO|FPO|DPO),? A[AEP] \d{5}\b"),
    ),
    Rule("city_state_zip", "LOCATION", re.compile(rf"\b{_CITY}[ \n]?,?[ \n]{{1,2}}{_STATE}[ ,]{{1,3}}{_ZIP}(?!\d)")),
    Rule("city_state", "LOCATION", re.compile(rf"\b{_CITY}[ \n]?,[ \n]?(?:{_STATE})(?![A-Za-z])"), _city),
    Rule("state_zip", "LOCATION", re.compile(rf"\b(?:{_STATE})[ ,\n]{{1,3}}(?P<id>{_ZIP})(?!\d)")),
    Rule(
        "zip_label",
        "LOCATION",
        re.compile(
            rf"\b(?:zip|postal|post)(?: ?code)?\b(?: ?(?:is|of|:|=|-)){{0,2}} ?(?P<id>{_ZIP}|"
            rf"[A-Z]{{1,2}}\d[A-Z0-9]? ?\d[A-Z]{{2}}|\d{{4,6}})\b",
            _I,
        ),
    ),
    Rule("zip_plus4", "LOCATION", re.compile(r"(?<![\w.-])\d{5}-\d{4}(?![\w-]|\.\d)")),
    Rule(
        "coordinates",
        "LOCATION",
        re.compile(r"(?<![\w.])-?\d{1,2}\.\d{4,12}(?: ?[NS])?[,; ]{1,3}-?\d{1,3}\.\d{4,12}(?: ?[EW])?(?!\d)"),
    ),
    Rule(
        "facility",
        "ORGANIZATION",
        re.compile(
            rf"\b(?!(?:{_COMMON})\b){_PROPER}(?: (?:of |the |and |& ){{0,2}}{_PROPER}){{0,4}} (?:{_FACILITY})\b"
        ),
    ),
    Rule(
        "facility_of",
        "ORGANIZATION",
        re.compile(rf"\b(?:University|Hospital|College|Clinic) (?:of|for) {_PROPER}(?: {_PROPER}){{0,2}}\b"),
    ),
    Rule(
        "facility_saint",
        "ORGANIZATION",
        re.compile(
            r"\b(?:st\.?|saint|mount|mt\.?) [a-z]{3,20}(?:'?s)?(?: [a-z]{3,20})? (?:hospital|clinic|medical center)\b",
            _I,
        ),
    ),
    Rule(
        "facility_lower",
        "ORGANIZATION",
        re.compile(
            r"\b(?:at|to|from|in|for|of|the|called|via|and|by) (?P<id>(?:[a-z'-]{3,20} ){1,3}(?:hospital|clinic|"
            r"medical center|memorial|general|"
            r"rehab|radiology|imaging|pharmacy|elementary|middle school|high school|academy|university|college|"
            r"state college|"
            r"nursing home|hospice|urgent care|freight|trucking|software|produce|taxi|drapery|insurance|bank|church|"
            r"health center|family medicine|pediatrics|cardiology|oncology|orthopedics|dental|surgery center|"
            r"logistics|motors|foods|"
            r"manufacturing|construction|electric|warehouse|bakery|diner|farms?))\b"
        ),
        _facility_any_case,
        0.6,
    ),
    Rule(
        "facility_capitals",
        "ORGANIZATION",
        re.compile(
            r"\b(?:[A-Z][A-Z'&-]{2,20} ){1,4}(?:HOSPITAL|CLINIC|MEDICAL CENTER|HEALTH CENTER|PHARMACY|UNIVERSITY|"
            r"COLLEGE|NURSING HOME|"
            r"HOSPICE|ELEMENTARY|HIGH SCHOOL|URGENT CARE|INSTITUTE|REHAB)\b"
        ),
        _facility_any_case,
        0.6,
    ),
)
