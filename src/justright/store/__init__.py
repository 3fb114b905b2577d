"""Where studies, trials, curves, ideas and decisions are kept."""
