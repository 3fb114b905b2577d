"""Native networks with a leading candidate axis."""
