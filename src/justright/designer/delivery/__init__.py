"""What is handed over: the headline, the calibrated model, what comes next, a refit."""
