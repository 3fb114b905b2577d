"""Old databases go forward, newer ones are refused, and a step happens as a whole."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, text

from justright.core.errors import StoreError
from justright.core.trial import TrialState
from justright.store.opening import open_store
from justright.store.sql.database import Database
from justright.store.sql.migrations import MIGRATIONS, Migration, bring_up_to_date
from justright.store.sql.store import SqlStore
from justright.testing.stores.case import ELSEWHERE, FLOATS, Clock, head, idea, spec
from justright.testing.stores.notes import BETTER

FIXTURES = Path(__file__).with_name("fixtures")
FROZEN = sorted(FIXTURES.glob("schema_*.sql"))


def thaw(folder: Path, dump: Path) -> Path:
    """A database as an earlier version left it."""
    path = folder / "justright.db"
    connection = sqlite3.connect(path)
    connection.executescript(dump.read_text())
    connection.close()
    return path


def shape(path: Path) -> dict[str, list[tuple]]:
    """Columns, keys and triggers of a database."""
    connection = sqlite3.connect(path)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {}
    for (table,) in tables:
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        # Columns that a migration added stand last: their number says nothing.
        found[table] = sorted(column[1:] for column in columns)
        keys = connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
        found[f"{table} keys"] = sorted(key[2:7] for key in keys)
    others = "SELECT type, name FROM sqlite_master WHERE type != 'table' AND sql IS NOT NULL"
    found["others"] = sorted(connection.execute(others).fetchall())
    connection.close()
    return found


def version(path: Path) -> str:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    connection.close()
    return found


def test_every_version_has_a_frozen_database() -> None:
    numbers = [int(dump.stem.removeprefix("schema_")) for dump in FROZEN]
    assert numbers == list(range(1, len(MIGRATIONS) + 2))
    assert [migration.number for migration in MIGRATIONS] == numbers[1:]


@pytest.mark.parametrize("dump", FROZEN, ids=lambda dump: dump.stem)
def test_a_frozen_database_becomes_what_a_new_one_is(tmp_path: Path, dump: Path) -> None:
    (tmp_path / "new").mkdir()
    with open_store(tmp_path / "new" / "justright.db"):
        pass
    path = thaw(tmp_path, dump)
    with open_store(path) as store:
        assert store.check() == ()
    assert shape(path) == shape(tmp_path / "new" / "justright.db")
    assert version(path) == version(tmp_path / "new" / "justright.db")


@pytest.mark.parametrize("dump", FROZEN, ids=lambda dump: dump.stem)
def test_a_frozen_database_keeps_its_content(tmp_path: Path, dump: Path) -> None:
    with SqlStore(thaw(tmp_path, dump), Clock()) as store:
        assert [h.name for h in store.studies.heads()] == ["cars", "houses"]
        assert store.studies.head("houses") == head()
        trials = store.trials.list("houses")
        assert [t.spec for t in trials] == [spec(k) for k in range(4)]
        assert [t.state.value for t in trials] == ["done", "failed", "running", "planned"]
        assert trials[0].result["loss"] == 0.5
        assert trials[1].reason == "diverged at step 7"
        _, values = store.curves.read("houses", spec(0).id, "loss")
        assert values.tobytes() == np.array(FLOATS).tobytes()
        (histogram,) = store.histograms.read("houses", spec(0).id, "weights")
        assert (histogram.step, histogram.counts.tolist()) == (5, [3, 4])
        checkpoint = store.checkpoints.latest("houses", spec(0).id)
        assert checkpoint is not None
        assert checkpoint.path == "a.safetensors"
        (record,) = store.ideas.list("houses")
        assert (record.idea, record.verdict) == (idea(helps=0.4), BETTER)
        assert [decision.choice for decision in store.ledger.decisions("houses")] == ["0.001"]
        assert [finding.code for finding in store.ledger.findings("houses")] == ["leakage"]
        assert store.ledger.history("houses", "table") == ({"rows": 1}, {"rows": 2})
        assert [parcel.key for parcel in store.outbox.due("mirror")] == ["m"]
        # And it can be worked on: a new lease gives the interrupted trial back.
        held = store.studies.holder("houses")
        assert held is not None
        store.studies.release(held)
        store.studies.open(head(), ELSEWHERE)
        assert store.trials.get("houses", spec(2).id).state is TrialState.PLANNED


def add_colour(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE studies ADD COLUMN colour TEXT DEFAULT 'blue'"))


def add_size(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE studies ADD COLUMN size INTEGER DEFAULT 3"))


def fail(connection: Connection) -> None:
    add_size(connection)
    raise OSError("the power went")


def forward(path: Path, *migrations: Migration) -> int:
    database = Database(path)
    try:
        return bring_up_to_date(database, migrations)
    finally:
        database.close()


def test_missing_steps_are_applied_in_order_and_once(tmp_path: Path) -> None:
    path = thaw(tmp_path, FROZEN[0])
    steps = (Migration(2, "colour", add_colour), Migration(3, "size", add_size))
    assert forward(path, steps[0]) == 2
    assert version(path) == "2"
    assert forward(path, *steps) == 3
    assert forward(path, *steps) == 3  # nothing left to do
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT colour, size FROM studies").fetchall() == [("blue", 3)] * 2
    connection.close()


def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = thaw(tmp_path, FROZEN[0])
    before = shape(path)
    with pytest.raises(OSError, match="the power went"):
        forward(path, Migration(2, "colour", add_colour), Migration(3, "fails", fail))
    assert version(path) == "1"
    assert shape(path) == before


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = thaw(tmp_path, FROZEN[0])
    forward(path, Migration(2, "colour", add_colour), Migration(99, "size", add_size))
    before = shape(path)
    with pytest.raises(StoreError, match=r"newer justright \(schema 99, this one knows 1\)") as e:
        open_store(path)
    assert "pip install --upgrade justright" in e.value.hint
    assert shape(path) == before


@pytest.mark.parametrize("value", ["one", ""])
def test_an_unreadable_version_is_damage(tmp_path: Path, value: str) -> None:
    path = thaw(tmp_path, FROZEN[0])
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (value,))
    connection.close()
    with pytest.raises(StoreError, match="is damaged"):
        open_store(path)
