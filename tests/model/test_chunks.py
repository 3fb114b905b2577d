"""Reading a file in chunks gives its rows, whatever the place where a block ends."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import justright.model.chunks as chunks_module
from justright.core.errors import DataError
from justright.model.chunks import line_blocks, open_chunks

cells = st.text(st.sampled_from('ab7,"\n\r é;'), max_size=6).map(lambda text: f"k{text}k")
rows = st.lists(st.tuples(cells, cells), min_size=1, max_size=30)


def read(path: Path) -> list[tuple[str, ...]]:
    with open_chunks(path) as chunks:
        return [row for chunk in chunks for row in chunk.frame.rows()]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, st.integers(1, 200), st.booleans())
def test_no_row_is_cut_or_lost(tmp_path, monkeypatch, table, block, last_line_ends):
    monkeypatch.setattr(chunks_module, "BLOCK", block)
    text = pl.DataFrame(table, ["one", "two"], orient="row").write_csv(quote_style="always")
    path = tmp_path / "rows.csv"
    path.write_bytes((text if last_line_ends else text.removesuffix("\n")).encode())
    assert read(path) == table


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from('a"\n'), max_size=60), st.integers(1, 20), st.booleans())
def test_blocks_are_the_file_and_end_outside_of_quotes(monkeypatch, text, block, quotes):
    monkeypatch.setattr(chunks_module, "BLOCK", block)
    blocks = list(line_blocks(io.BytesIO(text.encode()), quotes))
    assert b"".join(blocks) == text.encode()
    for each in blocks[:-1]:
        assert each.endswith(b"\n")
        assert not quotes or each.count(b'"') % 2 == 0


@pytest.mark.parametrize("block", [6, 25, 1_000])
def test_blank_lines_of_one_column_are_missing_values_of_a_row(tmp_path, monkeypatch, block):
    monkeypatch.setattr(chunks_module, "BLOCK", block)
    (tmp_path / "rows.csv").write_text("name\n\nx\n\n\ny\nz\n\n")
    found = [row[0] for row in read(tmp_path / "rows.csv")]
    assert found == [None, "x", None, None, "y", "z", None]


def test_types_of_json_lines_hold_for_all_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK", 40)
    lines = [{"a": place} if place < 30 else {"a": 0.5, "b": "late"} for place in range(60)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n\n".join(json.dumps(line) for line in lines))
    assert read(path) == [(float(line["a"]), line.get("b")) for line in lines]


def test_a_damaged_file_is_one_line(tmp_path):
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"a": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match="cannot be read") as caught:
        read(path)
    assert "\n" not in str(caught.value)
