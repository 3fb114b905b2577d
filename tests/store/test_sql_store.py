"""The SQLite file: bad places, damage, durability, and what no contract can say."""

from __future__ import annotations

import gc
import os
import sqlite3
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from justright.core.errors import StoreError
from justright.core.trial import TrialState
from justright.store.memory import MemoryStore
from justright.store.opening import STORE_FILE, open_store
from justright.store.sql.filesystem import network_filesystem
from justright.store.sql.packing import pack, unpack
from justright.store.sql.store import SqlStore
from justright.store.sql.tables import APPEND_ONLY, metadata
from justright.testing.stores.case import ELSEWHERE, head, idea, opened, spec, started

BROKEN = 25


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Take away the right to write a folder, from the superuser too."""
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach (those of pytest belong to one)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def refusal(place: Path) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(place)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestPlaces:
    def test_folder_file_and_url_name_the_same_store(self, tmp_path: Path) -> None:
        with open_store(tmp_path / "studies") as store:
            opened(store)
        path = tmp_path / "studies" / STORE_FILE
        for place in (str(tmp_path / "studies"), path, str(path), f"sqlite:///{path}"):
            with open_store(place) as store:
                assert store.studies.head("houses") is not None
        with open_store("memory:") as store:
            assert isinstance(store, MemoryStore)

    def test_other_databases_are_refused(self) -> None:
        with pytest.raises(StoreError, match=r"cannot be kept at postgresql://"):
            open_store("postgresql://localhost/studies")

    def test_a_read_only_folder(self, public_folder: Path) -> None:
        with unprivileged(public_folder):
            assert "cannot be opened or created" in refusal(public_folder / "justright.db")
            assert "cannot be used" in refusal(public_folder / "deeper" / "justright.db")

    def test_a_read_only_store(self, public_folder: Path) -> None:
        path = public_folder / "justright.db"
        with open_store(path) as store:
            opened(store)
        path.chmod(0o444)
        with unprivileged(public_folder):
            said = refusal(path)
        assert "is read-only" in said or "cannot be opened" in said
        path.chmod(0o644)
        with open_store(path) as store:
            assert len(store.studies.heads()) == 1

    def test_a_file_where_a_folder_should_be(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        assert "cannot be used" in refusal(tmp_path / "file" / "justright.db")

    @pytest.mark.parametrize("content", [b"x", b"some text\n" * 1000, b"PK\x03\x04" * 99])
    def test_a_file_of_something_else_is_left_alone(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "justright.db"
        path.write_bytes(content)
        assert "is not a justright store" in refusal(path)
        assert path.read_bytes() == content

    def test_a_database_of_another_program_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "other.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE songs (title TEXT)")
        connection.close()
        assert "a database of another program (tables ['songs'])" in refusal(path)

    def test_network_file_systems_are_known(self, tmp_path: Path) -> None:
        mounts = tmp_path / "mounts"
        mounts.write_text(
            "/dev/sda1 / ext4 rw 0 0\nbox:/home /home nfs4 rw 0 0\n"
            "/dev/sdb1 /home/me/local ext4 rw 0 0\n//nas/a /mnt/my\\040share cifs rw 0 0\n"
        )
        kinds = {
            "/var/justright.db": "",
            "/home/me/justright.db": "nfs4",
            "/home/me/local/a/justright.db": "",
            "/mnt/my share/justright.db": "cifs",
        }
        assert {p: network_filesystem(Path(p), mounts) for p in kinds} == kinds
        assert network_filesystem(Path("/home/x"), tmp_path / "none") == ""


def filled(folder: Path) -> Path:
    """A store with one finished trial and one curve of 3,000 points, folded into one file."""
    path = folder / "justright.db"
    with SqlStore(path) as store:
        opened(store)
        attempt, trial = started(store)
        values = np.random.default_rng(0).normal(size=3000)
        store.curves.extend(attempt, trial, "loss", range(3000), values)
        store.trials.finish(attempt, trial, TrialState.DONE, {"loss": 1.0})
        store.ideas.add("houses", idea())
        store.ledger.put("houses", "table", {"rows": 3})
    return path


def edit(path: Path, statement: str, *values: object) -> None:
    """Change a store behind its back."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def problems(path: Path) -> tuple[str, ...]:
    """What opening or checking a store says about its damage."""
    try:
        with SqlStore(path) as store:
            return store.check()
    except StoreError as error:
        return (str(error),)


def use(path: Path) -> None:
    """Read all that is there."""
    with SqlStore(path) as store:
        store.studies.heads()
        store.trials.list("houses")
        store.trials.attempts("houses")
        store.curves.read("houses", spec().id, "loss")
        store.curves.summaries("houses")
        store.ideas.list("houses")
        store.ledger.facts("houses")


class TestDamage:
    def test_a_closed_store_is_one_file(self, tmp_path: Path) -> None:
        filled(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["justright.db"]

    @pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
    def test_a_file_cut_short_is_noticed(self, tmp_path: Path, share: float) -> None:
        path = filled(tmp_path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        assert problems(path)

    def test_flipped_bytes_never_raise_anything_else(self, tmp_path: Path) -> None:
        path = filled(tmp_path)
        content = path.read_bytes()
        rng = np.random.default_rng(0)
        refused = 0
        for _ in range(BROKEN):
            broken = bytearray(content)
            start = int(rng.integers(16, len(content) - 64))
            broken[start : start + 64] = rng.bytes(64)
            path.write_bytes(broken)
            problems(path)
            try:
                use(path)
            except StoreError:
                refused += 1
            for left in tmp_path.glob("justright.db-*"):
                left.unlink()
        assert refused > BROKEN / 10  # the rest hit free pages, or what nobody read

    def test_a_damaged_chunk_is_named(self, tmp_path: Path) -> None:
        path = filled(tmp_path)
        edit(path, "UPDATE curve_chunks SET blob = zeroblob(40) WHERE first = 1024")
        with open_store(path) as store:
            with pytest.raises(StoreError, match="a piece of a curve is damaged"):
                store.curves.read("houses", spec().id, "loss")
            (problem,) = store.check()
        assert "curve_chunks 'loss' from step 1024" in problem

    @pytest.mark.parametrize("column", ["outcome", "state", "recipe"])
    def test_a_row_edited_by_hand_is_refused(self, tmp_path: Path, column: str) -> None:
        path = filled(tmp_path)
        if column == "recipe":
            edit(path, "UPDATE recipes SET document = '{\"width\": '")
        else:
            edit(path, f"UPDATE trials SET {column} = '{{'")
        with open_store(path) as store, pytest.raises(StoreError, match="edited by hand"):
            store.trials.list("houses")

    @pytest.mark.parametrize("table", [table.name for table in APPEND_ONLY])
    def test_what_is_final_cannot_be_edited(self, tmp_path: Path, table: str) -> None:
        path = filled(tmp_path)
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert f"{table}_are_final" in {name for (name,) in found}
        connection.close()
        if table in ("predictions", "facts"):
            with pytest.raises(sqlite3.IntegrityError, match=f"{table} are append-only"):
                edit(path, f"UPDATE {table} SET document = '{{}}'")


class TestDurability:
    def test_state_is_synchronous_and_metrics_are_not(self, tmp_path: Path) -> None:
        with SqlStore(tmp_path / "justright.db") as store:
            database = store._database
            for transaction, level in (
                (database.write, 2),  # FULL
                (database.read, 2),
                (database.write_metrics, 1),  # NORMAL
            ):
                with transaction() as connection:
                    pragma = connection.exec_driver_sql
                    assert pragma("PRAGMA synchronous").scalar() == level
                    assert pragma("PRAGMA journal_mode").scalar() == "wal"
                    assert pragma("PRAGMA foreign_keys").scalar() == 1

    def test_writers_that_read_first_wait_for_each_other(self, tmp_path: Path) -> None:
        """With a deferred BEGIN most of these would fail with SQLITE_BUSY_SNAPSHOT."""
        path = tmp_path / "justright.db"
        with SqlStore(path) as first:
            opened(first)
        failures: list[BaseException] = []

        def count(name: str) -> None:
            try:
                with SqlStore(path) as store:
                    for _ in range(25):
                        versions = len(store.ledger.history("houses", name))
                        assert store.ledger.put("houses", name, versions) == versions + 1
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=count, args=(f"t{k}",)) for k in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        with SqlStore(path) as store:
            assert all(len(store.ledger.history("houses", f"t{k}")) == 25 for k in range(6))

    def test_points_are_durable_within_seconds_without_flush(self, tmp_path: Path) -> None:
        path = tmp_path / "justright.db"
        with SqlStore(path) as store, SqlStore(path) as other:
            opened(store)
            attempt, trial = started(store)
            store.curves.log(attempt, trial, "loss", 0, 1.0)
            until = time.monotonic() + 20
            while not other.curves.names("houses", trial) and time.monotonic() < until:
                time.sleep(0.05)
            assert other.curves.read("houses", trial, "loss")[0].tolist() == [0]

    def test_a_series_goes_on_after_reopening_without_a_seam(self, tmp_path: Path) -> None:
        path = tmp_path / "justright.db"
        with SqlStore(path) as store:
            opened(store)
            attempt, trial = started(store)
        for start in range(0, 1200, 100):
            with SqlStore(path) as store:
                store.curves.extend(attempt, trial, "x", range(start, start + 100), np.zeros(100))
        connection = sqlite3.connect(path)
        rows = connection.execute(
            "SELECT first, points FROM curve_chunks ORDER BY first"
        ).fetchall()
        connection.close()
        assert rows == [(0, 1024), (1024, 176)]


def use_and_forget(path: Path) -> None:
    store = SqlStore(path)
    opened(store)
    attempt, trial = started(store)
    store.curves.log(attempt, trial, "loss", 0, 1.0)  # its thread must not keep it alive
    store.curves.flush()
    del store
    gc.collect()


class TestClosing:
    def test_a_store_nobody_closed_warns(self, tmp_path: Path) -> None:
        with pytest.warns(ResourceWarning, match="unclosed store"):
            use_and_forget(tmp_path / "justright.db")

    def test_closing_twice_and_using_after(self, tmp_path: Path) -> None:
        store = SqlStore(tmp_path / "justright.db")
        opened(store)
        attempt, trial = started(store)
        store.close()
        store.close()
        calls: list[Callable[[], object]] = [
            store.studies.heads,
            lambda: store.curves.log(attempt, trial, "loss", 0, 1.0),
        ]
        for call in calls:
            with pytest.raises(StoreError, match="is closed"):
                call()

    def test_no_thread_outlives_the_store(self, tmp_path: Path) -> None:
        before = set(threading.enumerate())
        with SqlStore(tmp_path / "justright.db") as store:
            opened(store)
            attempt, trial = started(store)
            store.curves.log(attempt, trial, "loss", 0, 1.0)
            assert len(set(threading.enumerate()) - before) == 1
        assert set(threading.enumerate()) <= before


class TestSchema:
    def test_another_database_takes_the_same_schema(self) -> None:
        for table in metadata.sorted_tables:
            statement = str(CreateTable(table).compile(dialect=postgresql.dialect()))
            assert f"CREATE TABLE {table.name}" in statement
            for index in table.indexes:
                assert "INDEX" in str(CreateIndex(index).compile(dialect=postgresql.dialect()))
        blob = str(
            CreateTable(metadata.tables["curve_chunks"]).compile(dialect=postgresql.dialect())
        )
        assert "BYTEA" in blob
        assert "DOUBLE PRECISION" in blob

    def test_a_removed_study_leaves_no_row(self, tmp_path: Path) -> None:
        path = filled(tmp_path)
        with SqlStore(path) as store:
            lease = store.studies.open(head("cars"), ELSEWHERE)
            store.studies.release(lease)
            held = store.studies.holder("houses")
            assert held is not None
            store.studies.release(held)
            store.studies.remove("houses")
            store.studies.remove("cars")
        connection = sqlite3.connect(path)
        left = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in metadata.tables
        }
        connection.close()
        assert left.pop("meta") == 2
        assert set(left.values()) == {0}, left


class TestPacking:
    @given(
        steps=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40),
        data=st.data(),
    )
    def test_every_bit_comes_back(self, steps: list[int], data: st.DataObject) -> None:
        n = len(steps)
        floats = st.floats(allow_nan=True, allow_infinity=True, allow_subnormal=True)
        values = data.draw(st.lists(floats, min_size=3 * n, max_size=3 * n))
        a = np.array(steps, np.int64).reshape(n, 1)
        b = np.array(values, np.float64).reshape(n, 3)
        blob = pack([a, b])
        x, y = unpack(blob, zlib.crc32(blob), n, [(np.int64, 1), (np.float64, 3)])
        assert (x.tobytes(), y.tobytes()) == (a.tobytes(), b.tobytes())

    @given(cut=st.integers(0, 200), flip=st.integers(0, 255))
    def test_damage_is_always_noticed(self, cut: int, flip: int) -> None:
        values = np.random.default_rng(0).normal(size=(100, 1))
        blob = pack([values])
        crc = zlib.crc32(blob)
        flipped = bytearray(blob)
        flipped[cut] ^= flip
        for broken in (blob[:cut], bytes(flipped) if flip else b"", blob + b"x"):
            with pytest.raises(StoreError, match="damaged"):
                unpack(broken, crc, 100, [(np.float64, 1)])
