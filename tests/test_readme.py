"""Every example of README.md and docs/ is run, and prints what the page shows (the rules: tests/pages.py)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pages import PAGES, ROOT, read_blocks
from reading import reading


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_do_what_the_page_says(page: Path, tmp_path: Path) -> None:
    with reading(page, tmp_path) as reader:
        reader.read()
    assert not reader.problems, "\n\n".join(reader.problems)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name}: {target}"
        headings = re.findall(r"^#+ +(.*)$", file.read_text(encoding="utf-8"), re.M) if anchor else []
        slugs = [re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings]
        assert not anchor or anchor in slugs, f"{page.name}: {target}"


def test_first_screen_is_the_scenario_that_is_shipped() -> None:
    shown = next(block.text for block in read_blocks(PAGES[0]) if block.language == "yaml")
    assert shown == (ROOT / "scenarios" / "ratelimit.yaml").read_text(encoding="utf-8")
