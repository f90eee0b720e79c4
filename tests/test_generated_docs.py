"""The generated pages are those that the code would write now."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_pages_are_up_to_date():
    load(ROOT / "hatch_build.py").compile_catalogues(ROOT)
    pages = load(ROOT / "docs" / "generate.py").pages()
    stale = [p.name for p, text in pages.items() if not p.exists() or p.read_text("utf-8") != text]
    assert stale == [], "run: python docs/generate.py"
    assert {p for p in (ROOT / "docs" / "causes").glob("*.md")} <= set(pages)
