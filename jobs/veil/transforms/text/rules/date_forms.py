"""The forms of complete dates, as patterns of bounded length, and the parts that incomplete ones share with them."""

from __future__ import annotations

import re

ANY_CASE = re.IGNORECASE
MONTH = (
    r"(?P<mon>january|february|march|april|may|june|july|august|september|october|november|december|"
    r"jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?"
)
WEEKDAY = (
    r"(?:(?P<wd>(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|"
    r"sun)\b\.?)(?:,? ?(?:the )?| ?- ?))?"
)
_DAY = r"(?P<d>3[01]|[12]\d|0?[1-9])"
ORDINAL = _DAY + r"(?P<suffix>st|nd|rd|th)?"
_YEAR = r"(?P<y>(?:1[89]|20)\d\d|'?\d\d)"
FULL_YEAR = r"(?P<y>(?:1[89]|20)\d\d)"
M = r"(?P<m>1[0-2]|0?[1-9])"
TIME = (
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
    (name, re.compile(pattern, ANY_CASE))
    for name, pattern in (
        (
            "iso",
            rf"(?:{_OPEN}|(?<=[A-Za-z][_-])|(?<=_))"
            + r"(?P<y>(?:1[89]|20)\d\d)(?P<sep>[-/.])"
            + M
            + r"(?P=sep)"
            + _DAY
            + r"(?!\d|/(?!(?:19|20)\d\d-)|-\d)"
            + TIME,
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
            r"\b" + WEEKDAY + r"(?P<m>1[0-2]|0?[1-9])" + _SEP + _DAY + r"(?P=sep)" + _YEAR + _CLOSE + TIME,
        ),
        ("day_first", r"\b" + WEEKDAY + _DAY + _SEP + M + r"(?P=sep)" + _YEAR + _CLOSE + TIME),
        (
            "month_name",
            r"\b"
            + WEEKDAY
            + MONTH
            + r"(?:[ \n]{1,2}|-|/)(?:the )?"
            + ORDINAL
            + r"(?:,? ?[ \n]|-|/|, ?)(?:of )?(?P<y>(?:1[89]|20)\d\d|'\d\d)(?!\d)"
            + TIME,
        ),
        (
            "day_name",
            r"(?<![\w/.$])"
            + WEEKDAY
            + ORDINAL
            + _LINK
            + r"(?:day )?(?:of )?"
            + MONTH
            + r"(?:,? ?[ \n]?|-|/|, ?)(?:of )?"
            + _YEAR
            + r"(?![a-su-z\d_]|[.:]\d)"
            + TIME,
        ),
        (
            "name_compact",
            r"(?<![\w/.$])"
            + r"(?P<d>3[01]|[12]\d|0?[1-9])(?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
            + _YEAR
            + r"(?![a-su-z\d_])"
            + TIME,
        ),
    )
)
