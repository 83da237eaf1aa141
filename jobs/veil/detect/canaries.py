"""Known-bad candidates: the gate plants them in a copy of what it audits, and each has to be found on every run.

Everything here is invented; numbers are from ranges that are reserved for examples where there is one.
"""

from __future__ import annotations

import io
import json
from importlib.util import find_spec
from pathlib import Path

from veil.contracts import Profile
from veil.detect.text import RULES

_TEXTS: dict[str, str] = {
    "control-character": "Seen with Q\x00u\x00i\x00l\x00l today.",
    "ssn": "On file under 123-45-6789 since the last stay.",
    "phone": "She can be reached at (617) 555-0182 after noon.",
    "email": "Results go to maria.ortiz@example.org today.",
    "url": "Her story is on https://www.example.org/maria and was shared.",
    "ip": "Portal login came from 192.0.2.44 at night.",
    "device-address": "Pump paired with 00:00:5E:00:53:AF at the bedside.",
    "coordinates": "Found by the ambulance at 42.36010, -71.05890 in the rain.",
    "date-finer-than-year": "Admitted on March 14, 2019 with fever.",
    "age-over-89": "This 93-year-old woman lives alone.",
    "name-after-title": "Discussed with Dr. Hallorweg in clinic.",
    "name-after-label": "Patient name: Quillon Vasterby. Follow up as needed.",
    "name-before-credential": "Electronic signature Quillon Vasterby, MD at the end.",
    "id-after-label": "MRN: 40817263 was verified.",
    "street": "He lives at 1427 Elmhurst Avenue with a dog.",
    "zip-plus-city": "Moved here from Springfield, IL 62704 last summer.",
    "vin": "Crashed the car 1M8GDM9AXKP042788 into a wall.",
    "card": "Copay charged to 4111 1111 1111 1111 at the desk.",
}
_RECORDS: tuple[dict[str, object], ...] = (
    {"resourceType": "Patient", "name": [{"family": "Vasterby", "given": ["Quillon"]}]},
    {"resourceType": "Patient", "identifier": [{"system": "urn:example", "value": "40817263"}]},
    {"resourceType": "Patient", "telecom": [{"value": "617-555-0182"}]},
    {"resourceType": "Patient", "address": [{"line": ["1427 Elmhurst Avenue"], "postalCode": "627"}]},
    {"resourceType": "Patient", "address": [{"state": "IL", "postalCode": "62704"}]},
    {"resourceType": "Patient", "birthDate": "1962-03-04"},
    {"resourceType": "Patient", "text": {"div": "<div>Quillon Vasterby</div>"}},
    {"resourceType": "Patient", "contained": [{"resourceType": "Practitioner", "gender": "male"}]},
    {"resourceType": "Patient", "photo": [{"contentType": "image/png"}]},
    {"resourceType": "Patient", "id": "40817263"},
    {"resourceType": "Observation", "subject": {"reference": "Patient/40817263"}},
    {"resourceType": "Observation", "subject": {"display": "Quillon Vasterby"}},
    {"resourceType": "Condition", "onsetAge": {"value": 93, "unit": "years", "code": "a"}},
    {
        "resourceType": "DocumentReference",
        "content": [{"attachment": {"contentType": "text/plain", "data": "UXVpbGxvbg=="}}],
    },
    {"resourceType": "Observation", "note": [{"text": "Call Dr. Hallorweg at 617-555-0182."}]},
)
_DATED: dict[str, object] = {"resourceType": "Observation", "effectiveDateTime": "2019-03-14T09:30:00Z"}


def text_canaries(profile: Profile) -> list[str]:
    """Texts that `veil.detect.text.leaks` must flag, one for each critical rule that the profile has."""
    critical = [rule for rule, what in RULES.items() if what.severity == "critical"]
    return [_TEXTS[rule] for rule in critical if profile == "safe_harbor" or rule != "date-finer-than-year"]


def record_canaries(profile: Profile) -> list[str]:
    """JSON records that `veil.detect.structure.violations` must flag."""
    records = [*_RECORDS, _DATED] if profile == "safe_harbor" else list(_RECORDS)
    return [json.dumps(record) for record in records]


def photo_canaries() -> list[bytes]:
    """Pictures that `veil.detect.photo.leaks` must flag: a JPEG with Exif, and a face (scikit-image's astronaut).

    Raises
    ------
    FileNotFoundError
        When scikit-image is not installed: without a face the gate cannot prove that it sees one.
    """
    from PIL import Image

    exif = Image.Exif()
    exif[0x013B] = "Quillon Vasterby"  # Artist
    tagged = io.BytesIO()
    Image.new("RGB", (64, 64), (120, 140, 160)).save(tagged, "JPEG", exif=exif)

    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise FileNotFoundError("scikit-image is not installed: the gate needs its picture of a face")
    face = io.BytesIO()
    with Image.open(Path(package.origin).parent / "data" / "astronaut.png") as picture:
        crop = picture.convert("RGB").crop((120, 0, 340, 240))
    # without the file's own metadata, so that nothing but the face can be found
    Image.frombytes("RGB", crop.size, crop.tobytes()).save(face, "PNG")
    return [tagged.getvalue(), face.getvalue()]
