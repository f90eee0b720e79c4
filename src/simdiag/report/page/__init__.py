"""The page for people: one HTML file that says what is wrong, why, and what to do next.

``render(view_of(diagnosis, evidence, translate), translate)`` makes it; one view, and one
file, per language. The evidence holds pseudonyms by then.
"""

from __future__ import annotations

from simdiag.message import Translate
from simdiag.report.html import document
from simdiag.report.page.build import view_of
from simdiag.report.page.view import Bundle, Tried, View

__all__ = ["Bundle", "Tried", "View", "render", "view_of"]


def render(view: View, translate: Translate) -> str:
    """Return the whole document; it loads nothing and runs nothing."""
    return document("page.html", translate, view=view)
