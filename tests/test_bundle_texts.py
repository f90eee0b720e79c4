"""The texts in sources, kept when the package is built: they may never be those of other sources."""

import pytest

from simdiag.bundle import texts


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "KEPT", tmp_path / "texts.json")
    texts._kept.cache_clear()
    yield tmp_path / "texts.json"
    texts._kept.cache_clear()


def source(folder, text):
    path = folder / "a.py"
    path.write_text(text, "utf-8")
    return path


def test_texts_are_those_of_code_and_no_docstrings(tmp_path):
    path = source(tmp_path, '"""A word: aardvark."""\nTEXT = f"zebra {1}" + "yak"\n')
    assert sorted(texts.texts_of(path)) == ["yak", "zebra "]


def test_kept_texts_are_used_for_the_same_source_alone(tmp_path, kept):
    path = source(tmp_path, 'TEXT = "zebra"\n')
    texts.keep([path], kept)
    kept.write_text(kept.read_text("utf-8").replace("zebra", "kept"), "utf-8")
    assert texts.texts_of(path) == ["kept"]
    source(tmp_path, 'TEXT = "yak"\n')
    assert texts.texts_of(path) == ["yak"]


@pytest.mark.parametrize("damaged", ["", "{", "\x00"])
def test_a_damaged_file_costs_time_only(tmp_path, kept, damaged):
    kept.write_text(damaged, "utf-8")
    assert texts.texts_of(source(tmp_path, 'TEXT = "zebra"\n')) == ["zebra"]
