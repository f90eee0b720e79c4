"""In which languages a ticket is written: the desk's, and the user's where that is another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from simdiag.i18n import choose, translator
from simdiag.message import LANGUAGE_TAG, Message

_BETWEEN = "\n\n" + "─" * 24 + "\n\n"


def of(desk: Sequence[str], user: str) -> tuple[str, ...]:
    """Return the catalogues to write in, the desk's first.

    ``desk`` are the tags of what is read there, the best first; ``user`` is the user's tag. Where
    the desk reads the user's language, that one alone is enough.
    """
    own = choose(user)
    read = [choose(tag) for tag in desk]
    return (own,) if not read or own in read else (read[0], own)


def tags(languages: Iterable[str]) -> tuple[str, ...]:
    """Return the tags of catalogues: ``zh-CN`` for ``zh_CN``."""
    return tuple(translator(language)(LANGUAGE_TAG) for language in languages)


def written(lines: Sequence[Message], languages: Sequence[str]) -> str:
    """Return a text, once in each language."""
    return _BETWEEN.join(
        "\n".join(line.render(translator(language)) for line in lines) for language in languages
    )
