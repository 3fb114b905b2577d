"""One file per card; `views.registry` lists them in order."""
