"""The report of a study: one HTML file that needs no network, no other file, no account."""

from __future__ import annotations

from justright.report.build import report_html
from justright.report.write import write_report

__all__ = ["report_html", "write_report"]
