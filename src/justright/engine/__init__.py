"""Trains stacks of candidates in spans of steps; `contract` is the only door."""
