"""What is wrong, odd or worth knowing about a table: one file per check, listed in `registry`."""

from justright.data.audit.registry import CHECKS, audit

__all__ = ["CHECKS", "audit"]
