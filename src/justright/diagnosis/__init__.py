"""What curves and short experiments say about a training: pure functions, no clock, no torch."""
