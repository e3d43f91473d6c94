"""The scripts of a report's page: made once a release of vl-convert, where they can be kept."""

from importlib.metadata import version

import pytest

from search.report.page.vega import PACKAGE, scripts


@pytest.fixture(autouse=True)
def _anew():
    scripts.cache_clear()
    yield
    scripts.cache_clear()


def test_the_scripts_are_made_once_and_kept(tmp_path):
    made = scripts(tmp_path / "cache")
    assert "vegaEmbed" in made
    (file,) = (tmp_path / "cache").iterdir()
    assert version(PACKAGE) in file.name
    assert file.read_bytes().decode().replace("</script", "<\\/script") == made
    file.write_text("kept")
    scripts.cache_clear()
    assert scripts(tmp_path / "cache") == "kept"


def test_where_nothing_can_be_kept_they_are_made_anew(tmp_path):
    (tmp_path / "file").touch()
    assert "vegaEmbed" in scripts(tmp_path / "file" / "cache")


def test_what_is_kept_cannot_end_the_element_it_stands_in(tmp_path):
    (tmp_path / f"vega-{version(PACKAGE)}.js").write_text("const end = '</script>';")
    assert scripts(tmp_path) == "const end = '<\\/script>';"
