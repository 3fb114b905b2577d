"""Files of every format, and everything that can be wrong with them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from justright.core.errors import DataError
from justright.data.ingest import read_table
from justright.data.table import Table

ROWS = "".join(f"{i},{i * 2},z{i % 3}\n" for i in range(20))
FRAME = pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], "c": [0.5, 1.5, 2.5]})


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, name: str, content: str | bytes) -> Table:
    return read_table(write(folder, name, content))


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, mark: str) -> None:
    table = read(tmp_path, "t.csv", ("a,b,c\n" + ROWS).replace(",", mark))
    assert table.columns == ("a", "b", "c")
    assert table.frame.row(3) == (3, 6, "z0")


def test_formats_agree(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "a.csv")
    FRAME.write_csv(tmp_path / "b.tsv", separator="\t")
    FRAME.write_parquet(tmp_path / "c.parquet")
    FRAME.write_ipc(tmp_path / "d.arrow")
    FRAME.write_ipc_stream(tmp_path / "e.arrow")
    FRAME.write_ndjson(tmp_path / "f.jsonl")
    (tmp_path / "g.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    (tmp_path / "h.jsonl.gz").write_bytes(gzip.compress((tmp_path / "f.jsonl").read_bytes()))
    (tmp_path / "wrong_ending.csv").write_bytes((tmp_path / "c.parquet").read_bytes())
    for path in sorted(tmp_path.iterdir()):
        assert read_table(path).frame.equals(FRAME), path.name


def test_name_and_fingerprint_are_of_the_content(tmp_path: Path) -> None:
    text = "a,b\n1,2\n3,4\n"
    plain, packed = (
        read(tmp_path, "x.csv", text),
        read(tmp_path, "y.csv.gz", gzip.compress(text.encode())),
    )
    assert (plain.name, packed.name) == ("x", "y")
    assert plain.fingerprint == packed.fingerprint
    assert read(tmp_path, "z.csv", text.replace("4", "5")).fingerprint != plain.fingerprint
    assert read_table(str(tmp_path / "x.csv"), name="mine").name == "mine"


def test_missing_values_have_many_names(tmp_path: Path) -> None:
    table = read(tmp_path, "t.csv", "a,b\nNA,x\n?, NULL \n,nan\n4,y\n")
    assert table.frame["a"].to_list() == [None, None, None, 4]
    assert table.frame["b"].to_list() == ["x", None, None, "y"]


def test_small_things_that_must_not_matter(tmp_path: Path) -> None:
    expected = [(1, "x"), (3, "y")]
    for content in (
        b"\xef\xbb\xbfa,b\n1,x\n3,y\n",
        "a,b\r\n1,x\r\n3,y\r\n",
        "a,b\n1,x\n\n3,y\n\n\n",
        " a , b \n1, x\n3, y \n",
        '"a","b"\n1,"x"\n3,"y"',
    ):
        assert read(tmp_path, "t.csv", content).frame.rows() == expected, content
    quoted = read(tmp_path, "q.csv", 'a,b\n"x, y",1\n"he said ""hi""",2\n"two\nlines",3\n')
    assert quoted.frame["a"].to_list() == ["x, y", 'he said "hi"', "two\nlines"]


def test_decimal_commas_between_semicolons(tmp_path: Path) -> None:
    assert read(tmp_path, "t.csv", "a;b\n1,5;2\n2,25;3\n").frame.rows() == [(1.5, 2), (2.25, 3)]


def test_leading_zeros_are_kept(tmp_path: Path) -> None:
    table = read(tmp_path, "t.csv", "zip,y\n00501,1\n10001,2\n")
    assert table.frame["zip"].to_list() == ["00501", "10001"]


def test_types_that_change_late_cost_a_second_reading_only(tmp_path: Path) -> None:
    late = read(tmp_path, "t.csv", "a,b\n" + "1,2\n" * 12_000 + "1.5,x\n")
    assert late.frame["a"][-1] == 1.5
    assert late.frame["b"].to_list()[-2:] == ["2", "x"]


def test_infinities_are_kept_for_the_report(tmp_path: Path) -> None:
    found = read(tmp_path, "t.csv", "a,b\n1,inf\n2,-inf\n3,nan\n").frame["b"].to_list()
    assert found == [float("inf"), float("-inf"), None]


BAD = {
    "empty.csv": ("", "is empty"),
    "blank.csv": ("\n \n", "is empty"),
    "header.csv": ("a,b,c\n", "no rows"),
    "header_without_line_end.csv": ("a,b,c", "no rows"),
    "junk.csv": (np.random.default_rng(0).bytes(5_000), "binary data"),
    "nul.csv": (b"a,b\n1,\x002\n", "binary data"),
    "utf16.csv": ("a,b\n1,2\n".encode("utf-16"), "iconv -f UTF-16"),
    "utf16le.csv": ("a,b\n1,2\n".encode("utf-16-le"), "iconv -f UTF-16"),
    "latin.csv": ("a,b\ncafé,1\n".encode("latin-1"), "0xE9 at position 7"),
    "latin_late.csv": (b"a,b\n" + b"x,1\n" * 100_000 + b"caf\xe9,1\n", "position 400,007"),
    "cut_character.csv": ("a,b\n1,é".encode()[:-1], "not UTF-8"),
    "mac.csv": ("a,b\r1,2\r", "line ends"),
    "space.csv": (("a,b,c\n" + ROWS).replace(",", " "), "separate its fields by blank"),
    "colon.csv": (("a,b,c\n" + ROWS).replace(",", ":"), "separate its fields by ':'"),
    "long.csv": (f"a,b,c\n{ROWS}1,2,3,4\n{ROWS}", "line 22 has 4 fields, the header has 3"),
    "short.csv": (f"a,b,c\n{ROWS}1,2\n{ROWS}", "line 22 has 2 fields, the header has 3"),
    "long_quoted.csv": (f'a,b,c\n{ROWS}"1",2,3,4\n{ROWS}', "line 22 has 4 fields"),
    "short_quoted.csv": (f'a,b,c\n{ROWS}"1",2\n{ROWS}', "line 22 has 2 fields"),
    "one_field.csv": (f"a,b\n{ROWS.replace(',z', ' z')}1\n", "has 1 field, the header has 2"),
    "unclosed.csv": ('a,b\n"x,1\n' + "y,2\n" * 50, "the header has 2"),
    "duplicate.csv": (f"a,b,a\n{ROWS}", "'a' appears 2 times"),
    "unnamed.csv": (f",b,c\n{ROWS}", "column 1 of 3 has no name"),
    "no_header.csv": ("1,2,3\n4,5,6\n", "the first line holds numbers"),
    "damaged.csv.gz": (gzip.compress(b"a,b\n1,2\n" * 1_000)[:-20], "is damaged"),
    "empty.csv.gz": (gzip.compress(b""), "is empty"),
    "book.xlsx": (b"PK\x03\x04" + b"1" * 100, "save the sheet as CSV"),
    "cut.parquet": (b"PAR1" + b"1" * 100, "cannot be read"),
    "cut.arrow": (b"ARROW1\x00\x00" + b"1" * 100, "cannot be read"),
    "bad.jsonl": ('{"a":1}\n{"a":\n', "line 2 is not a JSON object"),
    "list.jsonl": ('{"a":1}\n[1]\n', "line 2 is not a JSON object"),
    "array.json": ('[{"a":1}]', "one object per line"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    content, expected = BAD[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, name, content)
    message = str(caught.value)
    assert expected in message
    assert "\n" not in message
    assert caught.value.hint


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    write(tmp_path, "houses.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match=r"did you mean .*houses\.csv\?"):
        read_table(tmp_path / "house.csv")
    with pytest.raises(DataError, match=r"is a folder: name a file in it, such as houses\.csv"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="does not exist either"):
        read_table(tmp_path / "nowhere" / "x.csv")


def complaint(path: Path) -> str:
    """What is said about a file; empty if it can be read."""
    try:
        read_table(path)
    except DataError as error:
        return error.message
    return ""


@given(st.binary(max_size=300))
def test_no_bytes_whatever_cause_anything_but_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp(), "any.csv", content)
    assert "\n" not in complaint(path)


@given(st.text(alphabet='ab1,;"\n\r\t .é|{}[]-0', max_size=80))
def test_no_text_whatever_causes_anything_but_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    path = write(tmp_path_factory.getbasetemp(), "text.csv", content)
    assert "\n" not in complaint(path)
