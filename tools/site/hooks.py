"""What MkDocs calls while it builds the site: adds the pages that are no files of `docs/`."""

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from tools.site.reference import methods, sweep_file

ROOT = Path(__file__).parents[2]

COPIED = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Files of the repository to the pages that they are."""

_LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and those that lie elsewhere in the repository."""
    pages = {"sweep-file.md": sweep_file(), "methods.md": methods()}
    pages |= {page: (ROOT / file).read_text(encoding="utf-8") for file, page in COPIED.items()}
    for page, content in pages.items():
        files.append(File.generated(config, page, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links into the repository into links to pages; what is no page of the site stays as its text."""
    home = {copy: file for file, copy in COPIED.items()}.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return _LINK.sub(lambda link: _linked(link, home, page.file.src_uri), markdown)


def _linked(link: re.Match[str], home: str, source: str) -> str:
    image, text, target, anchor = link.groups(default="")
    path = normpath(str(PurePosixPath(home).parent / target))
    if path in COPIED:
        path = f"docs/{COPIED[path]}"
    elif not path.startswith("docs/"):
        return text
    assert "/" not in source  # pages lie beside each other
    return f"{image}[{text}]({path.removeprefix('docs/')}{anchor})"
