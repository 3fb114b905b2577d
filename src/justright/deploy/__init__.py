"""The file that is shipped in every model folder."""
