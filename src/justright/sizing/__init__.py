"""The size search: which depths and widths are tried, in which order, and what they say."""
