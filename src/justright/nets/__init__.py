"""Stacked networks: formulas, initialisation, rates and masks of k candidates of one shape."""
