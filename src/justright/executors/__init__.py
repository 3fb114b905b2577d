"""Runs calls in workers; knows nothing of what they compute."""
