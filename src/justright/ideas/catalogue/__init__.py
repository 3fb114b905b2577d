"""One file per idea; `ideas.registry` finds them."""
