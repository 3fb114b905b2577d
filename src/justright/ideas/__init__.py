"""Ideas: what may be tried to improve a network, each with a prediction made beforehand."""
