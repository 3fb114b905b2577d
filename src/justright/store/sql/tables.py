"""The tables, nothing else: portable types only, so that another database takes the same schema.

Documents are JSON text and not a database's own JSON type, because infinities and NaN must
survive. A NaN in a column of its own is stored as NULL (SQLite has no other way).
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

metadata = MetaData()

# SQLite numbers rows by itself only in columns of exactly this type.
_Id = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", _Id, primary_key=True)


def _of(parent: str, *, key: bool = False) -> Column[int]:
    """A reference that goes when its parent goes."""
    name = {"studies": "study", "trials": "trial", "attempts": "attempt", "ideas": "idea"}[parent]
    target = ForeignKey(f"{parent}.id", ondelete="CASCADE")
    return Column(f"{name}_id", BigInteger, target, nullable=False, primary_key=key)


def _holder() -> list[Column]:
    return [
        Column("pid", BigInteger),
        Column("host", Text),
        Column("since", Double),
        Column("expires", Double, nullable=False),
    ]


meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

studies = Table(
    "studies",
    metadata,
    _id(),
    Column("name", String(255), nullable=False, unique=True),
    Column("data", Text, nullable=False),
    Column("goal", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("token", BigInteger, nullable=False),
    *_holder(),
)

recipes = Table(  # many trials share one recipe: kept once, read once
    "recipes",
    metadata,
    _id(),
    _of("studies"),
    Column("fingerprint", String(16), nullable=False),
    Column("document", Text, nullable=False),
    UniqueConstraint("study_id", "fingerprint"),
)

attempts = Table(
    "attempts",
    metadata,
    _id(),
    _of("studies"),
    Column("name", String(16), nullable=False, unique=True),
    Column("token", BigInteger, nullable=False),
    *_holder(),
    Column("started", Double, nullable=False),
    Column("open", Boolean, nullable=False),
    Index("attempts_by_study", "study_id", "token"),
)

trials = Table(
    "trials",
    metadata,
    _id(),
    _of("studies"),
    Column("name", String(16), nullable=False),  # TrialSpec.id
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("recipe_id", BigInteger, ForeignKey("recipes.id"), nullable=False),
    Column("partition", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("steps", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt_id", BigInteger, ForeignKey("attempts.id")),  # who may write its result
    Column("outcome", Text),  # {"result": ..., "reason": ...}, once it is final
    UniqueConstraint("study_id", "name"),
    Index("trials_by_stage", "study_id", "stage"),
    Index("trials_by_attempt", "attempt_id"),
)

attempt_trials = Table(
    "attempt_trials",
    metadata,
    _of("attempts", key=True),
    Column("position", Integer, primary_key=True),
    _of("trials"),
    Index("attempts_by_trial", "trial_id"),
)


def _chunks(name: str, *columns: Column) -> Table:
    return Table(
        name,
        metadata,
        _of("trials", key=True),
        Column("name", String(255), primary_key=True),
        _of("attempts", key=True),
        Column("first", BigInteger, primary_key=True),
        Column("last_step", BigInteger, nullable=False),
        Column("points", Integer, nullable=False),
        *columns,
        Column("codec", Integer, nullable=False),
        Column("crc", BigInteger, nullable=False),
        Column("blob", LargeBinary, nullable=False),  # last, so that summaries need not read it
        Index(f"{name}_by_attempt", "attempt_id"),
    )


curve_chunks = _chunks(
    "curve_chunks",
    Column("finite", Integer, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("mean", Double),
    Column("last", Double),
)
histogram_chunks = _chunks("histogram_chunks", Column("bins", Integer, nullable=False))

ideas = Table(
    "ideas",
    metadata,
    _id(),
    _of("studies"),
    Column("name", String(16), nullable=False, unique=True),
    Column("document", Text, nullable=False),
    Column("created", Double, nullable=False),
)


def _versions(name: str) -> Table:
    return Table(
        name,
        metadata,
        _of("ideas", key=True),
        Column("version", Integer, primary_key=True),
        Column("document", Text, nullable=False),
        Column("created", Double, nullable=False),
    )


predictions = _versions("predictions")
verdicts = _versions("verdicts")


def _entries(name: str) -> Table:
    return Table(
        name,
        metadata,
        _id(),
        _of("studies"),
        Column("fingerprint", String(16), nullable=False),
        Column("document", Text, nullable=False),
        Column("created", Double, nullable=False),
        UniqueConstraint("study_id", "fingerprint"),
    )


decisions = _entries("decisions")
findings = _entries("findings")

facts = Table(
    "facts",
    metadata,
    _of("studies", key=True),
    Column("key", String(255), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("created", Double, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    _id(),
    _of("trials"),
    _of("attempts"),
    Column("step", BigInteger, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    UniqueConstraint("trial_id", "attempt_id", "step"),
    Index("checkpoints_by_attempt", "attempt_id"),
)

parcels = Table(
    "parcels",
    metadata,
    _id(),
    _of("studies"),
    Column("mirror", String(255), nullable=False),
    Column("key", String(255), nullable=False),
    Column("document", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("reason", Text, nullable=False),  # JSON text: any string survives
    Column("due", Double, nullable=False),
    Column("sent", Boolean, nullable=False),
    UniqueConstraint("study_id", "mirror", "key"),
    Index("parcels_due", "mirror", "sent", "id"),
)

APPEND_ONLY = (predictions, verdicts, decisions, findings, facts)
"""Tables whose rows never change; SQLite refuses an update even from outside the product."""

for _table in APPEND_ONLY:
    event.listen(
        _table,
        "after_create",
        DDL(
            f"CREATE TRIGGER {_table.name}_are_final BEFORE UPDATE ON {_table.name} "
            f"BEGIN SELECT RAISE(ABORT, '{_table.name} are append-only'); END"
        ).execute_if(dialect="sqlite"),
    )
