from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from veil.contracts import Malformed, Record
from veil.readers.csv_rows import Row, read_rows
from veil.readers.fhir import parse, parse_bundle, parse_deletions
from veil.readers.ndjson import lines, ranges

_FILES = st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"{}", b" ", b"\x00", b"\xef\xbb\xbf", b"x" * 9])).map(
    b"".join
)
_NAMES = (
    "resourceType id meta subject reference identifier name given telecom address contained extension url data "
    "contentType code coding provision status link other period start entry resource fullUrl request birthDate contact "
    "type"
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(_NAMES.split()),
            inner,
            max_size=6,
        )
    ),
    max_leaves=30,
)


@given(_FILES, st.integers(1, 40), st.integers(1, 12))
def test_any_split_yields_every_line_exactly_once(data: bytes, chunk: int, limit: int) -> None:
    whole = list(lines(io.BytesIO(data), 0, len(data), max_line=limit))
    parts = [line for a, b in ranges(len(data), chunk) for line in lines(io.BytesIO(data), a, b, max_line=limit)]
    assert parts == whole


@given(_FILES)
def test_a_line_is_what_stands_at_its_offset(data: bytes) -> None:
    for line in lines(io.BytesIO(data), 0, len(data)):
        assert line.data is not None
        assert data[line.offset :].removeprefix(b"\xef\xbb\xbf" if line.offset == 0 else b"").startswith(line.data)


@given(st.integers(0, 10_000), st.integers(1, 999))
def test_ranges_cover_a_file_once(size: int, chunk: int) -> None:
    covered = [position for start, end in ranges(size, chunk) for position in range(start, end)]
    assert covered == list(range(size))


@given(st.lists(st.sampled_from([b'"', b",", b"\n", b"a", b"\xff", b"\r\n", b"bb", b'""'])).map(b"".join))
def test_no_csv_stops_the_reader_and_offsets_only_grow(data: bytes) -> None:
    offsets = [row.offset if isinstance(row, Row) else row.position for row in read_rows(io.BytesIO(data), max_row=8)]
    assert offsets == sorted(set(offsets))


@given(_JSON, st.sampled_from(["Patient", "Consent", "Encounter", "Organization", "Binary", "Bundle"]))
def test_whatever_the_shape_a_resource_is_read_or_malformed(value: object, kind: str) -> None:
    import orjson

    body = value if isinstance(value, dict) else {"contained": value}
    try:
        data = orjson.dumps({"id": "1", **body, "resourceType": kind})
    except TypeError:
        return
    for read in (parse, lambda text: list(parse_bundle(text)), parse_deletions):
        try:
            found = read(data)
        except Malformed:
            continue
        assert isinstance(found, (Record, list))


@given(st.binary(max_size=64))
def test_any_bytes_are_malformed_without_a_word_of_them(data: bytes) -> None:
    assert len(data) < 8 or data.decode("latin-1") not in _refusal(data)


def _refusal(data: bytes) -> str:
    try:
        parse(data)
    except Malformed as error:
        return str(error)
    return ""
