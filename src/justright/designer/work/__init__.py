"""How work is done: jobs for workers, the session, champions, what still fits into the time."""
