"""The time limit, how fast this machine is, and what the next step may cost."""
