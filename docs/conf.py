"""The site of the documentation: Sphinx, with the top of the repository as its source.

So the pages link to one another as they do where the repository is hosted, and the first page is
the README. ``python3 dev.py docs`` builds it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from napari_sclip import __version__

ROOT = Path(__file__).resolve().parents[1]

project = "napari-sclip"
author = "napari-sclip developers"
release = version = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/*.rst", "docs/*.ipynb"]
exclude_patterns = [".*", "build", "dist", "out", "src", "tests", "training", "benchmarks"]

CONTENTS = {
    "Use": ["tutorial", "guide", "controls", "gallery", "headless", "exporting", "models"],
    "Measured": ["accuracy", "benchmarks", "adaptation", "refinement"],
    "Reference": ["api", "glossary", "architecture"],
    "Project": ["/CONTRIBUTING", "/CHANGELOG"],
}
"""The pages by the headings of the site's navigation; those without a slash lie in docs."""

myst_heading_anchors = 4
# What a hosting site shows beside its own README and the like is no page of a document.
suppress_warnings = ["myst.header"]

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give types, with shapes and units
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"napari-sclip {version}"
html_favicon = "../src/napari_sclip/icon.png"
html_theme_options = {
    "source_repository": "https://github.com/napari-sclip/napari-sclip/",
    "source_branch": "main",
    "source_directory": "",
}


def add_contents(app: Any, name: str, source: list[str]) -> None:  # noqa: ANN401 - Sphinx's
    """Give the first page the table of contents that a hosting site has no use for."""
    if name != root_doc:
        return
    for caption, pages in CONTENTS.items():
        names = "\n".join(page if page.startswith("/") else f"/docs/{page}" for page in pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{names}\n```\n"


def finish(app: Any, failure: Exception | None) -> None:  # noqa: ANN401
    """Lay pictures that pages show as HTML where they look for them, and name a first page."""
    if failure is None and app.builder.format == "html":
        out = Path(app.outdir)
        shutil.copytree(ROOT / "docs" / "images", out / "docs" / "images", dirs_exist_ok=True)
        shutil.copyfile(out / f"{root_doc}.html", out / "index.html")


def setup(app: Any) -> None:  # noqa: ANN401
    """Join in where Sphinx reads a page, and where it is done."""
    # The tutorial shall neither find nor leave anything of this computer's.
    os.environ["NAPARI_SCLIP_CACHE"] = str(Path(app.doctreedir) / "cache")
    app.connect("source-read", add_contents)
    app.connect("build-finished", finish)
