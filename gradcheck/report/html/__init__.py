"""Results as one HTML page: it loads nothing, and is read by mouse, by keyboard and by screen reader.

The list of cases is in the page as it is; everything about a case is JSON beside it, drawn when the case is opened.
"""

from gradcheck.report.html.page import render

__all__ = ["render"]
