"""The forms of dates, as patterns of bounded length: complete ones first, then those without day, month or year."""

from __future__ import annotations

import re

_I = re.IGNORECASE
_MONTH = (
    r"(?P<mon>january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?"
)
_WEEKDAY = (
    r"(?:(?P<wd>(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|"
    r"sun)\b\.?)(?:,? ?(?:the )?| ?- ?))?"
)
_DAY = r"(?P<d>3[01]|[12]\d|0?[1-9])"
_ORDINAL = _DAY + r"(?P<suffix>st|nd|rd|th)?"
_YEAR = r"(?P<y>(?:1[89]|20)\d\d|'?\d\d)"
_FULL_YEAR = r"(?P<y>(?:1[89]|20)\d\d)"
_M = r"(?P<m>1[0-2]|0?[1-9])"
_TIME = (
    r"(?:[T ,@]{1,3}(?:at )?(?:[01]?\d|2[0-4])[:h][0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
    r"(?: ?[ap]\.?m\b\.?)?(?:Z|(?: ?[+-]\d\d:?\d\d)|(?: (?:UTC|GMT|[ECMP][SD]T)\b))?)?"
)
_OPEN = r"(?:(?<![\w/.$:-])|(?<=-\d\d/)(?=(?:19|20)\d\d-))"
"""In front of a date, and between the two of an ISO 8601 interval."""

_CLOSE = r"(?:(?![\w/])|(?<=[/.-]\d{4})(?![\d_/]))(?![.:]\d|-\d(?!\d?[/.-]\d))"
"""Behind a date: another may follow a hyphen, and letters a whole year."""

_SEP = r"(?P<sep>[/.-]| / |- | -)"
_LINK = r"(?:[ \n]{1,2}|-|, ?|/|\.)"

WRITTEN = tuple(
    (name, re.compile(pattern, _I))
    for name, pattern in (
        (
            "iso",
            rf"(?:{_OPEN}|(?<=[A-Za-z][_-])|(?<=_))"
            + r"(?P<y>(?:1[89]|20)\d\d)(?P<sep>[-/.])"
            + _M
            + r"(?P=sep)"
            + _DAY
            + r"(?!\d|/(?!(?:19|20)\d\d-)|-\d)"
            + _TIME,
        ),
        (
            "compact",
            (
                r"(?:(?<![\w/.$-])|(?<=_)|(?<=[A-Za-z]-))(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])"
                r"(?P<d>0[1-9]|[12]\d|3[01])(?:[T _]?(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?)?(?![^\W_]|-\d|\.\d)"
            ),
        ),
        (
            "month_first",
            r"\b" + _WEEKDAY + r"(?P<m>1[0-2]|0?[1-9])" + _SEP + _DAY + r"(?P=sep)" + _YEAR + _CLOSE + _TIME,
        ),
        ("day_first", r"\b" + _WEEKDAY + _DAY + _SEP + _M + r"(?P=sep)" + _YEAR + _CLOSE + _TIME),
        (
            "month_name",
            r"\b"
            + _WEEKDAY
            + _MONTH
            + r"(?:[ \n]{1,2}|-|/)(?:the )?"
            + _ORDINAL
            + r"(?:,? ?[ \n]|-|/|, ?)(?:of )?(?P<y>(?:1[89]|20)\d\d|'\d\d)(?!\d)"
            + _TIME,
        ),
        (
            "day_name",
            r"(?<![\w/.$])"
            + _WEEKDAY
            + _ORDINAL
            + _LINK
            + r"(?:day )?(?:of )?"
            + _MONTH
            + r"(?:,? ?[ \n]?|-|/|, ?)(?:of )?"
            + _YEAR
            + r"(?![a-su-z\d_]|[.:]\d)"
            + _TIME,
        ),
        (
            "name_compact",
            r"(?<![\w/.$])"
            + r"(?P<d>3[01]|[12]\d|0?[1-9])(?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
            + _YEAR
            + r"(?![a-su-z\d_])"
            + _TIME,
        ),
    )
)
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
            + _WEEKDAY
            + _MONTH
            + r"(?:[ \n]{1,2}|-)(?:the )?"
            + _ORDINAL
            + r"\b(?! ?(?:mg|ml|mcg|%|days?|weeks?|hours?|tablets?)|\.\d|/)"
            + _TIME,
            _I,
        ),
        (
            "day_month",
            r"(?<![\w/.$])"
            + _WEEKDAY
            + r"(?:the )?"
            + _ORDINAL
            + r"(?:[ \n]|-)(?:day )?(?:of )?"
            + _MONTH
            + r"(?![\w-])"
            + _TIME,
            _I,
        ),
        (
            "month_year",
            r"\b(?:(?:early|mid|late)[ -])?"
            + _MONTH
            + r"(?:[ \n]{1,2}|-|, ?|/)(?:of )?(?P<y>(?:1[89]|20)\d\d|'\d\d)\b",
            _I,
        ),
        ("number_year", r"(?<![\w/.$-])" + _M + r"[/-]" + _FULL_YEAR + r"(?![\w/-]|\.\d)", _I),
        ("iso_month", r"(?<![\w/.$-])" + _FULL_YEAR + r"-(?P<m>0[1-9]|1[0-2])(?![\w/-]|\.\d)", _I),
        (
            "partial_context",
            r"\b"
            + _BEFORE
            + (
                r"[ :,\n]{1,3}(?:the )?(?P<id>(?:1[0-2]|0?[1-9])[/-](?:3[01]|[12]\d|0?[1-9]))(?![\w/%-]|\.\d|"
                r" ?(?:mg|ml|of|strength|systolic|tab|pain))"
            ),
            _I,
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
            _I,
        ),
        (
            "partial_time",
            r"(?<![\w/.$+-])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])(?= (?:at |@ ?)?(?:[01]?\d|2[0-3]):?[0-5]\d\b)",
            _I,
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
            _I,
        ),
        (
            "birth_odd",
            r"\b(?:dob|d\.o\.b\.?|date of birth|birth ?date)[ :_=-]{1,3}"
            r"(?P<id>\d{1,2}[ /|_.-]\d{1,2}[ /|_.-](?:\d{4}|\d{2})|\d{6}|\d{8})(?!\d)",
            _I,
        ),
        (
            "partial_half",
            r"(?<![\w/.$+-])(?:1[0-2]|0?[1-9])/(?:3[01]|[12]\d|0?[1-9])(?=[ap]m\b)",
            _I,
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
            _I,
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
            _I,
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
            _I,
        ),
        (
            "holiday",
            (
                r"\b(?:christmas(?: (?:eve|day))?|thanksgiving(?: day)?|easter|halloween|new year'?s(?: "
                r"(?:eve|day))?|(?:labor|memorial|independence|veterans|"
                r"valentine'?s|mother'?s|father'?s|columbus|presidents'?|martin luther king|"
                r"st\.? patrick'?s) day|fourth of july|4th of july|hanukkah|ramadan)\b"
            ),
            _I,
        ),
    )
)
