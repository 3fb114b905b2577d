"""The store in SQL: one file per facet, through SQLAlchemy Core."""
