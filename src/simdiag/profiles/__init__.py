"""The files of this package live in the repository's top-level ``profiles/`` folder.

The wheel copies them next to this file; in a checkout they are found here.
"""

from pathlib import Path

_src = Path(__file__).resolve().parents[2]
if _src.name == "src" and (_src.parent / "profiles").is_dir():
    __path__.append(str(_src.parent / "profiles"))
