"""The command line. Nothing heavy is imported before the command is known."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; errors become a sentence and an exit status."""
    from simdiag.i18n import activate, choose

    activate(choose(_language(sys.argv[1:])))
    from simdiag.cli.group import run

    sys.exit(run())


def _language(arguments: list[str]) -> str | None:
    """Return what ``--lang`` says; it is needed before the commands and their help are made."""
    for index, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.partition("=")[2]
        if argument == "--lang" and index + 1 < len(arguments):
            return arguments[index + 1]
    return None
