"""What every template, stylesheet and element keeps to."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "hub" / "static" / "css").rglob("*.css"))
ELEMENTS = sorted((ROOT / "hub" / "static" / "js" / "elements").glob("*.js"))
NAMES = [str(path.relative_to(ROOT / "templates")) for path in TEMPLATES]

each_template = pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)


@each_template
def test_a_template_declares_its_inputs_in_its_first_line(path: Path) -> None:
    first = path.read_text().splitlines()[0]

    assert re.fullmatch(r"\{# .+ #\}", first)


@each_template
def test_a_template_holds_no_inline_script_style_or_handler(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", text)


@each_template
def test_a_template_asks_htmx_to_evaluate_nothing(path: Path) -> None:
    text = path.read_text()

    assert not re.search(r"hx-on|\bjs:|javascript:|hx-trigger=\"[^\"]*\[", text)


@each_template
def test_a_template_fetches_nothing_from_elsewhere(path: Path) -> None:
    assert not re.search(r"""(src|href|action)=["'](https?:)?//""", path.read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_template_compiles(name: str) -> None:
    assert get_template(name) is not None


def test_a_form_that_posts_carries_the_csrf_token() -> None:
    forms = re.compile(r"<form[^>]*method=\"post\".*?</form>", re.DOTALL)
    posts = [form for path in TEMPLATES for form in forms.findall(path.read_text())]

    assert posts
    assert all("csrf_token" in form for form in posts)


def test_every_stylesheet_is_imported_into_a_layer() -> None:
    home = ROOT / "hub" / "static" / "css"
    entry = (home / "weighhouse.css").read_text()
    imported = re.findall(r'@import url\("(.+)"\) layer\(\w+\);', entry)

    assert {str(path.relative_to(home)) for path in STYLES} - {"weighhouse.css"} == set(imported)


def test_the_stylesheets_stay_small() -> None:
    text = "".join(path.read_text() for path in STYLES)

    assert len([line for line in text.splitlines() if line.strip()]) <= 2500
    assert len(gzip.compress(text.encode())) <= 20_000


@pytest.mark.parametrize("path", ELEMENTS, ids=lambda path: path.name)
def test_an_element_stays_within_eighty_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80


def test_every_icon_that_is_used_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="(\w+)"', (ROOT / "hub/static/img/icons.svg").read_text()))
    used = {
        name
        for path in TEMPLATES
        for name in re.findall(r'icon\.html" with name="(\w+)"', path.read_text())
    }

    assert used <= drawn
