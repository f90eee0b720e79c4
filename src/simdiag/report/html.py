"""HTML documents of one file: nothing is loaded, nothing runs, whatever is in them is escaped."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from simdiag.message import LANGUAGE_TAG, Translate
from simdiag.report.hostile import shown


def document(template: str, translate: Translate, **context: Any) -> str:
    """Return a document made from a template of ``report/templates``.

    Templates see ``_`` (the translation), ``lang`` (the tag of its language) and ``context``.
    Every text that they print is escaped, and shows what it holds (:func:`shown`); only
    ``Markup``, which charts are made of, goes in as it is.
    """
    style, digest = _style()
    return _environment().get_template(template).render(
        _=translate, lang=translate(LANGUAGE_TAG), style=style, style_digest=digest, **context
    )  # fmt: skip


def code(text: str) -> Markup:
    """Return a sentence with what stands between backticks, such as a command, set as code."""
    parts = shown(text).split("`")
    if len(parts) % 2 == 0:
        return escape(shown(text))
    shapes = (Markup("{}"), Markup("<code>{}</code>"))
    return Markup().join(shapes[i % 2].format(part) for i, part in enumerate(parts))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("simdiag.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: shown(value) if type(value) is str else value,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    return environment


@cache
def _style() -> tuple[Markup, str]:
    """The style sheet, and its SHA-256 for the content security policy that allows no other."""
    text = resources.files("simdiag.report").joinpath("templates/style.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), digest  # noqa: S704 - our own file
