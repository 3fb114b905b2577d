"""The model folder: writing, checking, loading, predicting."""
