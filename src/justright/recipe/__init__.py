"""Recipes: everything that defines a training, as frozen JSON values."""
