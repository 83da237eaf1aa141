"""What comes with other systems: segments of HL7 version 2 messages, and names of users."""

from __future__ import annotations

import re

from .rule import Rule

RULES = (
    Rule(
        "hl7_segment",
        "ID",
        # HL7 2.9, chapter 3 (patient administration) and 6 (guarantor, insurance): all fields are about a person
        re.compile(
            r"(?m)^[ \t]{0,3}(?:PID|PD1|NK1|PV1|PV2|GT1|IN1|IN2|IN3|MRG|ROL|STF|PRD|CTD)\|(?P<id>[^\n]{1,4000})"
        ),
    ),
    Rule(
        "user_name",
        "ID",
        re.compile(
            r"\b(?:mychart|portal|user ?name|user ?id|login|log-in|screen ?name|handle|skype|instagram|insta|twitter|"
            r"facebook|telegram|snapchat|tiktok|venmo)(?: (?:user|account|id|name|handle|is)){0,2}[ :=]{1,3}@?"
            r"(?P<id>(?=[\w.-]{0,29}[\d_])[A-Za-z][\w.-]{3,29})(?!\w)",
            re.IGNORECASE,
        ),
    ),
    Rule("handle", "ID", re.compile(r"(?<![\w.@])(?P<id>@(?=[\w.]{0,29}[\d_])[A-Za-z_][\w.]{2,29})(?![\w@])")),
)
