"""The documentation site builds without a warning, and asks for nothing from outside."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "video": "src"}
HARMLESS = {"canonical", "next", "prev", "alternate"}  # relations that a browser does not fetch


def needs_mkdocs():
    if find_spec("mkdocs") is None or find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed: pip install 'probatum[docs]' builds the site")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    needs_mkdocs()
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Requests(HTMLParser):
    """What a browser fetches for a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in FETCHED and not (tag == "link" and given.get("rel") in HARMLESS):
            self.found.append(given.get(FETCHED[tag]) or "")


def requested(text):
    parser = Requests()
    parser.feed(text)
    return parser.found


def is_outside(address):
    return re.match(r"(?:[a-z]+:)?//", address) is not None


def test_no_page_asks_for_anything_outside(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    found = {
        (page.name, address)
        for page in pages
        for address in requested(page.read_text(encoding="utf-8"))
        if is_outside(address)
    }
    assert not found


def test_no_style_sheet_asks_for_anything_outside(site):
    for sheet in site.rglob("*.css"):
        addresses = re.findall(r"(?:url\(|@import )['\"]?([^'\")\s]+)", sheet.read_text(encoding="utf-8"))
        assert not [address for address in addresses if is_outside(address)]


def test_everything_that_a_page_asks_for_is_in_the_site(site):
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue  # served from anywhere, so its addresses begin at the root
        for address in requested(page.read_text(encoding="utf-8")):
            if address and not address.startswith("data:"):
                assert (page.parent / address.partition("?")[0].partition("#")[0]).exists(), (page, address)


def test_a_link_to_a_file_outside_the_documentation_leads_to_its_copy(site):
    copy = site / "repository" / "examples" / "spiral_study.py.txt"
    assert copy.read_bytes() == (REPOSITORY / "examples" / "spiral_study.py").read_bytes()
    assert 'href="repository/examples/spiral_study.py.txt"' in (site / "own-study.html").read_text(
        encoding="utf-8"
    )


def test_a_fetch_from_outside_would_be_found():
    page = '<link rel="canonical" href="https://a.b"><script src="//c.d/e.js"></script><img src="x.png">'
    assert [address for address in requested(page) if is_outside(address)] == ["//c.d/e.js"]


def _navigation():
    text = (REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8")
    names, waiting = [], [yaml.safe_load(text)["nav"]]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            names.append(value)
        else:
            waiting += value.values() if isinstance(value, dict) else value
    return names


def test_every_entry_of_the_navigation_is_a_page():
    assert not [name for name in _navigation() if not (REPOSITORY / "docs" / name).is_file()]


def test_every_page_is_in_the_navigation_once():
    pages = [page.relative_to(REPOSITORY / "docs").as_posix() for page in (REPOSITORY / "docs").rglob("*.md")]
    assert sorted(_navigation()) == sorted(pages)
