"""The site as it is built: strictly, so that a link or an anchor that leads nowhere stops the build."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def recipe():
    """Return the words of the command in the Makefile that builds the site."""
    line = next(line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "mkdocs build" in line)
    return line.partition("mkdocs ")[2].split()


@pytest.fixture
def small_site(tmp_path):
    """Copy the configuration with two pages and without what reads the program, which a link has no part in."""
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    before, _, rest = configuration.partition("  - mkdocstrings:\n")
    after = rest[re.search(r"^\w", rest, re.MULTILINE).start() :]
    (tmp_path / "mkdocs.yml").write_text(before + after.partition("nav:\n")[0], encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# First\n\n## Known place\n", encoding="utf-8")

    def build(text):
        (tmp_path / "docs" / "second.md").write_text(f"# Second\n\n{text}\n", encoding="utf-8")
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", *recipe(), "-d", tmp_path / "site"],
            capture_output=True, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip

    return build


def test_a_link_that_leads_somewhere_builds(small_site):
    done = small_site("[there](index.md#known-place)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("link", ["index.md#no-such-place", "#no-such-place", "no-such-page.md"])
def test_a_link_that_leads_nowhere_stops_the_build(small_site, link):
    done = small_site(f"[there]({link})")
    assert done.returncode != 0
    assert link in done.stderr


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert listed == pages


def test_the_readme_links_to_what_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text)
    assert targets
    assert not [target for target in targets if not target.startswith("https://") and not (ROOT / target).exists()]


def test_the_site_asks_no_other_host_for_anything():
    assert "font: false" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.svg"), ROOT / "README.md"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r"(?:src=[\"']|url\(|!\[[^\]]*\]\()https?:", text), page
