"""The pages: what they link to is there, the site is built without a warning, the tutorial runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import napari_sclip

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.ipynb"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def targets(text: str) -> Iterator[str]:
    """Files that a page refers to, as written."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    for target in re.findall(r'\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"', prose):
        file = "".join(target).partition("#")[0]
        if file and not file.startswith(("https://", "http://")):
            yield file


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_refers_to_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [target for target in targets(text) if not (page.parent / target).exists()] == []


def test_the_check_of_links_can_fail() -> None:
    assert list(targets('[a](b.md#c) ![d](e.png) <img src="f.png"> `[g](h)` [i](#j)')) == [
        "b.md", "e.png", "f.png",
    ]  # fmt: skip


def test_the_reference_has_every_public_name() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. auto\w+:: napari_sclip\.(\w+)$", page, flags=re.MULTILINE)
    assert {*shown} - {"errors"} == {*napari_sclip.__all__} - {"__version__"}


def test_the_tutorial_is_kept_without_results() -> None:
    cells = json.loads(TUTORIAL.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


class Links(HTMLParser):
    """What a page of the site refers to, and the places in it that can be referred to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.places: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src", "srcset") and value:
                self.targets.add(unquote(value))
            elif name == "id" and value:
                self.places.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    options = ["--fail-on-warning", "--keep-going", "--conf-dir", "docs"]
    options += ["--doctree-dir", str(folder / "doctrees")]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ".", str(folder / "site")],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    pages = {page: Links(page) for page in site.rglob("*.html")}
    broken = []
    for page, links in pages.items():
        for target in links.targets:
            file, _, place = target.partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (page.parent / file.partition("?")[0]).resolve() if file else page
            if not there.exists() or (
                place and there in pages and place not in pages[there].places
            ):
                broken.append(f"{page.relative_to(site)}: {target}")
    assert broken == []
    assert {"index.html", "CHANGELOG.html", "docs/guide.html", "docs/gallery.html"} <= {
        page.relative_to(site).as_posix() for page in pages
    }


@pytest.mark.slow
def test_the_site_shows_what_the_tutorial_gives(site: Path) -> None:
    page = (site / "docs" / "tutorial.html").read_text(encoding="utf-8")
    shares = [float(share) for share in re.findall(r"([\d.]+)% of the pixels are right", page)]
    first, refined, misnamed, taught = shares
    assert misnamed < first < refined
    assert misnamed + 5 < taught
    assert page.count("<img") >= 5


@pytest.mark.slow
def test_the_reference_comes_from_the_docstrings(site: Path) -> None:
    page = (site / "docs" / "api.html").read_text(encoding="utf-8")
    for name in ("Segmenter.segment", "SegmentationConfig", "make_scene"):
        assert f'id="napari_sclip.{name}"' in page
