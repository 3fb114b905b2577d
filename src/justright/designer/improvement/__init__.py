"""Ideas in rounds: proposed, ordered, screened, confirmed, and what they are worth together."""
