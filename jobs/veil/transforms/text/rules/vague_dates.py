"""The forms of dates that lack a day, a month or a year, as patterns of bounded length."""

from __future__ import annotations

import re

from .date_forms import ANY_CASE, FULL_YEAR, MONTH, ORDINAL, TIME, WEEKDAY, M

_BEFORE = (
    r"(?:on|since|from|until|till|dated?|as of|by|through|thru|to|starting|began|begins|begin|"
    r"seen|visit|admitted|discharged|admission|discharge|"
    r"dos|dob|due|last|next|performed|done|drawn|scheduled|appointment|appt|follow-?up|"
    r"hospitalized|started|stopped|and|between|before|after|today|tonight|yesterday|tomorrow|collected|expires?|seen|"
    r"no-?show(?:ed|s)?|cancel(?:l?ed)?|am|pm|surgery|placed|removed|given|received|resulted|ordered|born|surg|dated)"
)
SCORE = re.compile(
    r"\b(?:gcs|coma scale|mmse|moca|slums|phq(?:-?[29])?|gad(?:-?7)?|epds|scor(?:e|ed|es|ing)|scale|apgars?|pain|"
    r"strength|murmur|"
    r"grade|rat(?:e|ed|ing)|bpp|power|reflex(?:es)?|pulses?|vanderbilt|stage|severity|intensity|cage|audit|braden|"
    r"morse|nihss|sofa|"
    r"dtrs?|motor|criteria|points|vision|va|o[dsu]|sov|2/2|edema|ratio|sirs|q?sofa|ipss|acuity|snellen|bp|kt/v|"
    r"depression|headache|nausea|vomiting|grip|mmt|mrc|itch(?:ing)?|pruritus|fatigue|cramp(?:s|ing)?|ache|aching|"
    r"soreness|discomfort|spasms?|tenderness|dyspnea|burning|stiffness|numbness|mood|flexion|extension|dorsiflexion|"
    r"bipap|cpap|peep|has-bled|alvarado|blatchford|wells|centor|curb|ps|l|r|left|right|bilaterally|"
    r"abduction|adduction|rotation|biceps|triceps|quad(?:ricep)?s?|deltoids?|hamstrings?|"
    r"anxiety|sensation|extremit(?:y|ies)|oriented|out of)\b[^.;\n\d]{0,24}$",
    re.IGNORECASE,
)
"""In front of a fraction: it is a score."""
AMBIGUOUS = re.compile(
    r"(?<![\w/.$+-])(?P<m>1[0-2]|0?[1-9])/(?P<d>3[01]|[12]\d|0?[1-9])(?![\w/%+]|\.\d| ?(?:mg|ml|mcg|mmhg|vision|"
    r"strength|ratio|"
    r"positive|pos|neg|tab|pill|dose|daily|bid\b|tid\b|qd\b|qhs\b|po\b|"
    r"pain|hpf|system|(?:lymph )?node|core|biops|sample|quadrant|point|hour|week|day|"
    r"month|of|in all|"
    r"through|bilat|motor|murmur|reps?|sets?|bottle|strain|scale|throughout|intact|and equal|symmetric|leads?|inch|"
    r"mssa|mrsa|gpc|gnr))",
    re.IGNORECASE,
)
VAGUE = tuple(
    (name, re.compile(pattern, flags))
    for name, pattern, flags in (
        (
            "month_day",
            r"\b"
            + WEEKDAY
            + MONTH
            + r"(?:[ \n]{1,2}|-)(?:the )?"
            + ORDINAL
            + r"\b(?! ?(?:mg|ml|mcg|%|days?|weeks?|hours?|tablets?)|\.\d|/)"
            + TIME,
            ANY_CASE,
        ),
        (
            "day_month",
            r"(?<![\w/.$])"
            + WEEKDAY
            + r"(?:the )?"
            + ORDINAL
            + r"(?:[ \n]|-)(?:day )?(?:of )?"
            + MONTH
            + r"(?![\w-])"
            + TIME,
            ANY_CASE,
        ),
        (
            "month_year",
            r"\b(?:(?:early|mid|late)[ -])?" + MONTH + r"(?:[ \n]{1,2}|-|, ?|/)(?:of )?(?P<y>(?:1[89]|20)\d\d|'\d\d)\b",
            ANY_CASE,
        ),
        ("number_year", r"(?<![\w/.$-])" + M + r"[/-]" + FULL_YEAR + r"(?![\w/-]|\.\d)", ANY_CASE),
        ("iso_month", r"(?<![\w/.$-])" + FULL_YEAR + r"-(?P<m>0[1-9]|1[0-2])(?![\w/-]|\.\d)", ANY_CASE),
        (
            "partial_context",
            r"\b"
            + _BEFORE
            + (
                r"[ :,\n]{1,3}(?:the )?(?P<id>(?:1[0-2]|0?[1-9])[/-](?:3[01]|[12]\d|0?[1-9]))(?![\w/%-]|\.\d|"
                r" ?(?:mg|ml|of|strength|systolic|tab|pain))"
            ),
            ANY_CASE,
        ),
        (
            "partial",
            (
                r"(?<![\w/.$+-])(?:(?:1[0-2]|0?[1-9])/(?:1[3-9]|2[0-9]|3[01])|(?:0[1-9]|1[0-2])/(?:0[1-9]|"
                r"1[0-2])|(?:1[0-2]|[2-9])/1(?!\d)|1[0-2]/[2-9](?!\d)|9/[2-8](?!\d)|8/[2-7](?!\d)|7/[2-6](?!\d))"
                r"(?![\w/%+-]|\.\d| ?(?:mg|ml|mmhg|vision|strength|ratio|positive|tabs?|daily|bid\b|"
                r"qd\b|po\b|pain|hpf|system|"
                r"(?:lymph )?nodes?|cores|biops|samples|quadrants|points|hours|weeks|days|LN))"
            ),
            ANY_CASE,
        ),
        (
            "partial_time",
            r"(?<![\w/.$+-])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])(?= (?:at |@ ?)?(?:[01]?\d|2[0-3]):?[0-5]\d\b)",
            ANY_CASE,
        ),
        (
            # no month has such a day, or nobody separates so: no complete date, and one all the same
            "odd",
            r"(?<![\w/.$-])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])/(?:(?:19|20)\d\d|\d\d)(?![\d/]|\.\d)(?:[_-]\w{1,6})?|"
            r"(?<![\w/.$-])(?:1[0-2]|0?[1-9])/ ?(?:3[01]|[12]\d|0?[1-9])/ ?(?:19|20)\d\d(?!\d)|"
            r"(?<![\w/.$-])(?:3[01]|[12]\d|0?[1-9])\. (?:1[0-2]|0?[1-9])\. ?(?:19|20)\d\d(?!\d)|"
            r"(?<![\w/.$-])(?:19|20)\d\d/(?:0[1-9]|1[0-2])(?![\w/-])",
            0,
        ),
        (
            "month_closed",
            r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,7}\.? ?"
            r"(?:3[01]|[12]\d|0?[1-9]),? ?(?:19|20)\d\d\b|"
            r"\b(?:janu?ary|febu?r?uary|feburary|septem?ber|octobe?r|novem?ber|decem?ber)\.? "
            r"(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,? (?:19|20)\d\d\b",
            ANY_CASE,
        ),
        (
            "birth_odd",
            r"\b(?:dob|d\.o\.b\.?|date of birth|birth ?date)[ :_=-]{1,3}"
            r"(?P<id>\d{1,2}[ /|_.-]\d{1,2}[ /|_.-](?:\d{4}|\d{2})|\d{6}|\d{8})(?!\d)",
            ANY_CASE,
        ),
        (
            "partial_half",
            r"(?<![\w/.$+-])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])(?=[ap]m\b)",
            ANY_CASE,
        ),
        (
            # what a scan made of digits: a letter among them, so that it is no complete date
            "scanned",
            r"(?<![\w/])(?=(?:[^\s\d]{0,4}\d){3})(?=[\d/-]{0,9}[OoIl])[\dOoIl]{1,2}(?P<sep>[/-])[\dOoIl]{1,2}(?P=sep)"
            r"[\dOoIl]{2,4}(?![\w/])",
            0,
        ),
        (
            "month_context",
            (
                r"\b(?:in|since|until|by|of|every|from|to|through|before|after|around|and|during|back in|for)[ -]"
                r"(?P<id>(?:(?:[Ee]arly|[Mm]id|[Ll]ate|[Ll]ast|[Tt]his|[Nn]ext)[ -])?(?:January|February|March|"
                r"April|May|June|July|"
                r"August|September|October|November|December))\b(?![ ]\d)"
            ),
            0,
        ),
        (
            "birth_year",
            r"\b(?:born(?: in)?|year of birth|birth year|yob|dob)[: ]{1,2}(?P<id>(?:18|19)\d\d)\b(?![-/.]\d)",
            ANY_CASE,
        ),
        (
            "month_short",
            (
                r"\b(?:in|since|until|by|from|to|through|before|after|around|early|mid|late|last|next)[ -]"
                r"(?P<id>(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)(?!\w| ?\d)"
            ),
            0,
        ),
        (
            "partial_day",
            r"\b(?:evening|morning|night|afternoon|noon|day|date) of (?P<id>(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|"
            r"0?[1-9]))(?![\w/%])",
            ANY_CASE,
        ),
        (
            "month_modified",
            r"\b(?:early|mid|late|last|this|next)[ -](?:March|May|march|may|april|june|july|august)\b(?! (?:have|be|"
            r"not|i|we|need))",
            0,
        ),
        (
            "month_spoken",
            r"\b(?:in|since|back in|until) (?P<id>april|may|march|june|july|august)\b(?! (?:have|be|not|i|we|need|on))",
            0,
        ),
        (
            "month",
            (
                r"\b(?:(?:[Ee]arly|[Mm]id|[Ll]ate|[Ll]ast|[Nn]ext|[Tt]his|[Ee]nd of)[ -])?(?:January|February|April|"
                r"June|July|"
                r"August|September|October|November|December|january|february|september|october|november|december)\b"
            ),
            0,
        ),
        (
            "ordinal_day",
            (
                r"\b(?:on|since|until|by|before|after) (?P<id>the \d{1,2}(?:st|nd|rd|th))\b(?! (?:day|week|"
                r"month|percentile|rib|finger|toe|digit|floor|time))"
            ),
            ANY_CASE,
        ),
        (
            "holiday",
            (
                r"\b(?:christmas(?: (?:eve|day))?|thanksgiving(?: day)?|easter|halloween|new year'?s(?: "
                r"(?:eve|day))?|(?:labor|memorial|independence|veterans|"
                r"valentine'?s|mother'?s|father'?s|columbus|presidents'?|martin luther king|"
                r"st\.? patrick'?s) day|fourth of july|4th of july|hanukkah|ramadan)\b"
            ),
            ANY_CASE,
        ),
    )
)
