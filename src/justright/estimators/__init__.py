"""Estimators for scikit-learn; `justright` hands them out without importing it before."""
