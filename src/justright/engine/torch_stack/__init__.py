"""The torch backend: stacks of candidates with a leading axis, trained chunk by chunk."""
