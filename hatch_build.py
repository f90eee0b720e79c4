"""Compiles the message catalogues (.po to .mo) whenever the package is built or installed.

It also keeps the texts of the sources (``bundle/texts.py``).
"""

import io
import runpy
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_catalogues(root: Path) -> None:
    for source in root.glob("src/simdiag/locale/*/LC_MESSAGES/*.po"):
        compiled = io.BytesIO()
        with source.open("rb") as catalogue:
            write_mo(compiled, read_po(catalogue, locale=source.parents[1].name))
        unfinished = source.with_suffix(".tmp")
        unfinished.write_bytes(compiled.getvalue())
        unfinished.replace(source.with_suffix(".mo"))  # a running simdiag never sees half of it


def keep_texts(root: Path) -> None:
    sources = (*root.glob("src/simdiag/**/*.py"), *root.glob("drivers/*.py"))
    runpy.run_path(str(root / "src/simdiag/bundle/texts.py"))["keep"](sorted(sources))


class CatalogueBuildHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        compile_catalogues(Path(self.root))
        keep_texts(Path(self.root))


if __name__ == "__main__":
    compile_catalogues(Path(__file__).parent)
    keep_texts(Path(__file__).parent)
