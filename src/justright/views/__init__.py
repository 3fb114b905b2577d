"""Store to cards; no torch here."""
