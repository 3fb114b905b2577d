"""Methods that are not deep, to know whether a network is needed."""
