"""What the measurements of a training say about it, and what to do."""
