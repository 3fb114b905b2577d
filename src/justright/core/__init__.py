"""Frozen nouns, errors, the JSON codec and seeds: what every other part may know."""
