"""CSV: verbatim or refused row by row, never guessed, whatever stands around it."""

from __future__ import annotations

import csv
import io
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobs.lake import csv_reader
from jobs.lake.csv_reader import csv_batches
from jobs.lake.readers import gathered
from schemas.contract import Column, Contract

SMALL = Contract(
    "small",
    "three texts",
    "append",
    "a",
    (Column("a", "string", "a", required=True), Column("b", "string", "b"), Column("c", "string", "c")),
    1,
)
Row = tuple[str | None, str | None, str | None, str | None, str | None]


def read(data: bytes) -> list[Row]:
    out: list[Row] = []
    for batch in gathered(csv_batches(io.BytesIO(data), SMALL, [])):
        out += [tuple(r.values()) for r in batch.to_pylist()]  # type: ignore[misc]
    return out


def slowly(data: bytes) -> list[Row]:
    """The same without Arrow's parser, in one block."""
    with patch.object(csv_reader, "quick", lambda data, header: None):
        return read(data)


def good(*cells: str | None) -> tuple[str | None, ...]:
    return (*cells, None, None)


def bad(raw: str, code: str = "malformed_row", *cells: str | None) -> tuple[str | None, ...]:
    return (*(cells or (None, None, None)), code, raw)


ONE, NINE = good("1", "2", "3"), good("9", "9", "9")
CASES = {
    "plain": (b"1,2,3\n9,9,9\n", [ONE, NINE]),
    "no last line end": (b"1,2,3\n9,9,9", [ONE, NINE]),
    "crlf": (b"1,2,3\r\n9,9,9\r\n", [ONE, NINE]),
    "empty lines are no rows": (b"\n1,2,3\n\n\r\n9,9,9\n\n", [ONE, NINE]),
    "empty is null, quoted too": (b'1,,""\n9,9,9\n', [good("1", None, None), NINE]),
    "blanks stay": (b' 1 ,"  ",3\n', [good(" 1 ", "  ", "3")]),
    "quoted": (b'"a,b","say ""x""","l1\r\nl2\n"\r\n9,9,9\n', [good("a,b", 'say "x"', "l1\r\nl2\n"), NINE]),
    "too few": (b"1,2\n9,9,9\n", [bad("1,2"), NINE]),
    "too many": (b"1,2,3,4\n9,9,9\n", [bad("1,2,3,4"), NINE]),
    "latin-1 keeps what can be read": (
        "1,é,3\n".encode("latin-1") + b"9,9,9\n",
        [bad("1,\\xe9,3", "encoding", "1", None, "3"), NINE],
    ),
    "latin-1 and too few": ("é,3\n".encode("latin-1"), [bad("\\xe9,3", "encoding")]),
    "nul": (b"1,x\x00y,3\n9,9,9\n", [bad("1,x\\x00y,3", "malformed_row", "1", None, "3"), NINE]),
    "quote never closed": (b'1,"2,3\n9,9,9\n9,9,9\n', [bad('1,"2,3'), NINE, NINE]),
    "quote closed rows later": (b'1,"2,3\n9,9,9\nx,"y",z\n', [bad('1,"2,3'), NINE, good("x", "y", "z")]),
    "two open quotes around a row": (
        b'1,"2,3\n9,9,9\n1,2",3,4\n9,9,9\n',
        [bad('1,"2,3'), NINE, bad('1,2",3,4'), NINE],
    ),
    "a wrong count over two lines is one row": (b'1,"x\ny"\n9,9,9\n', [bad('1,"x\ny"'), NINE]),
    "text after a quote": (b'1,"2"x,3\n9,9,9\n', [bad('1,"2"x,3'), NINE]),
    "quote inside": (b'1,O"B,3\n9,9,9\n', [bad('1,O"B,3'), NINE]),
    "bare return": (b"1,2\r,3\n9,9,9\n", [bad("1,2\r,3"), NINE]),
    "quote open at the end": (b'9,9,9\n1,2,"', [NINE, bad('1,2,"')]),
    "a bom inside is text": (b"\xef\xbb\xbf1,2,3\n", [good("\ufeff1", "2", "3")]),
}


@pytest.mark.parametrize("case", CASES)
def test_rows(case: str) -> None:
    data, expected = CASES[case]
    assert read(b"a,b,c\n" + data) == expected
    assert slowly(b"a,b,c\n" + data) == expected


def test_bom_quoted_header_and_column_order() -> None:
    assert read(b'\xef\xbb\xbf"c",b,a\r\n3,2,1\r\n') == [ONE]


def test_missing_optional_column_is_null() -> None:
    assert read(b"a,c\n1,3\n") == [good("1", None, "3")]


def test_one_megabyte_field() -> None:
    long = "x" * (1 << 20)
    assert read(f'a,b,c\n1,{long},3\n1,"{long}\n",3\n'.encode()) == [
        good("1", long, "3"),
        good("1", long + "\n", "3"),
    ]


def test_rows_longer_than_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "LONGEST_ROW", 100)
    monkeypatch.setattr(csv_reader, "BLOCK", 50)
    monkeypatch.setattr(csv_reader, "STRETCH", 20)
    assert read(b"a,b,c\n" + b"1,2," + b"3" * 500 + b"\n9,9,9\n") == [bad("1,2," + "3" * 16), NINE]
    # an open quote is given up at the same length, and every later row is there
    assert read(b'a,b,c\n1,"2,3\n' + b"9,9,9\n" * 100) == [bad('1,"2,3')] + [NINE] * 100


TEXT = st.text(
    st.one_of(st.sampled_from(',"\r\n \t;\ufeffé'), st.characters(exclude_categories=["Cs"])), max_size=8
).map(lambda t: t.replace("\x00", ""))


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8),
    # with "\n" the writer leaves a "\r" unquoted, which RFC 4180 does not allow
    form=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
    block=st.integers(1, 40),
)
def test_what_a_csv_writer_writes_comes_back_verbatim(rows, form, block) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=form[0], quoting=form[1])
    writer.writerow(("a", "b", "c"))
    writer.writerows(rows)
    data = out.getvalue().encode()
    expected = [good(*(cell or None for cell in row)) for row in rows]
    assert read(data) == expected
    with patch.object(csv_reader, "BLOCK", block), patch.object(csv_reader, "STRETCH", max(1, block // 3)):
        assert read(data) == expected


@settings(max_examples=500, deadline=None)
@given(
    data=st.lists(
        st.sampled_from(
            [b"1", b"x", b",", b",", b"\n", b"\n", b'"', b'"', b"\r", b"\r\n", b"\x00", b"\xe9", b" "]
        )
    ).map(b"".join),
    block=st.integers(1, 12),
)
@example(data=b'1,"2"\r', block=3)
@example(data=b"\r", block=1)
def test_no_bytes_are_read_differently_in_blocks_or_at_speed(data: bytes, block: int) -> None:
    data = b"a,b,c\n" + data
    expected = slowly(data)
    assert read(data) == expected
    with patch.object(csv_reader, "BLOCK", block), patch.object(csv_reader, "STRETCH", max(1, block // 2)):
        assert read(data) == expected
    assert all((r[3] is None) == (r[4] is None) for r in expected)
