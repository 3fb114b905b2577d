"""The training loop and the pure functions that decide each of its steps."""
