"""The scripts behind documents and releases: links led elsewhere, commands taken out, what is packed."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_release_leads_links_to_its_repository():
    links = script("release_links")
    text = (
        "![A sheet](docs/a.jpg) [a page](docs/a.md#part), [out](https://x.example), [here](#use), [![b](c.svg)](d.md)"
    )
    assert links.absolute(text, "me/mien", "v1.0.0") == (
        "![A sheet](https://raw.githubusercontent.com/me/mien/v1.0.0/docs/a.jpg) "
        "[a page](https://github.com/me/mien/blob/v1.0.0/docs/a.md#part), [out](https://x.example), [here](#use), "
        "[![b](c.svg)](https://github.com/me/mien/blob/v1.0.0/d.md)"
    )
    readme = links.absolute((ROOT / "README.md").read_text(), "me/mien", "v1.0.0")
    assert not set(links.LINK.findall(readme)) and "](docs/" not in readme


def test_a_release_gives_the_package_its_addresses():
    tomllib = pytest.importorskip("tomllib", reason="tomllib is Python 3.11's")
    text = script("release_links").with_addresses((ROOT / "pyproject.toml").read_text(), "me/mien")
    project = tomllib.loads(text)["project"]
    assert project["urls"]["Issues"] == "https://github.com/me/mien/issues" and project["scripts"]["mien"]


def test_versions_agree():
    from mien.about import VERSION

    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text()
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text()


def test_what_a_distribution_lacks_or_has_too_much():
    check = script("check_package")
    known = {"README.md", "src/mien/__init__.py", "src/mien/zoo/fields.md"}
    assert check.sdist_faults(known | {"PKG-INFO"}, known) == []
    assert check.sdist_faults({"README.md", "stray.py"}, {"README.md", "docs/a.md"}) == [
        "sdist lacks docs/a.md",
        "sdist has stray.py",
    ]
    wheel = {"mien/__init__.py", "mien/zoo/fields.md", "mien-0.1.0.dist-info/METADATA"}
    assert check.wheel_faults(wheel, known, 1000) == []
    assert check.wheel_faults({"mien/__init__.py", "tests/a.py"}, known, 90_000_000) == [
        "wheel lacks mien/zoo/fields.md", "wheel has tests/a.py", "wheel has 90 MB, more than 80",
    ]  # fmt: skip


def test_commands_are_taken_from_the_readme_as_they_stand():
    check = script("check_docs")
    lines = check.commands(ROOT / "README.md")
    assert "mien edit me.jpg --expression happiness --intensity 0.7 -o happier.png" in lines
    assert len(lines) > 40 and not any("#" in line for line in lines)
    assert {line.split()[0] for line in lines} <= {"mien", *check.LEFT_OUT}
    for start in check.SHORTER:
        assert any(line.startswith(start) for line in lines), f"no command of the README begins with {start}"
    short = check.shortened("mien synth faces --people 40 --test 0.2")
    assert short == ["mien", "synth", "faces", "--people", "12", "--test", "0.5", "--size", "64"]


def test_notebooks_hold_no_outputs():
    for path in (ROOT / "docs" / "tutorials").glob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, f"{path.name}: clear the outputs"


def test_each_entry_of_the_sites_menu_is_a_page():
    menu = re.findall(r": ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    homes = {"zoo": ROOT / "src/mien/zoo", "": ROOT / "docs"}
    beside = {"index.md": "README.md", "changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
    beside |= {f"zoo/{name}.md": f"src/mien/faces/finding/{name}.md" for name in ("face_check", "proposals")}
    assert len(menu) > 30
    for page in menu:
        room, _, name = page.rpartition("/")
        at = ROOT / beside[page] if page in beside else homes.get(room, ROOT / "docs" / room) / name
        assert at.is_file() or at.with_suffix(".ipynb").is_file(), f"mkdocs.yml: there is no page {page}"


def test_the_site_leads_links_to_its_own_pages():
    pytest.importorskip("mkdocs", reason="mkdocs is missing: pip install 'mien[docs]'")
    hooks = script("site_hooks")
    known = hooks.pages()
    text = (
        "[cards](src/mien/zoo) [one](src/mien/zoo/fields.md#limits) ![s](docs/images/a.jpg) [code](src/mien/cli/app.py)"
    )
    assert hooks.led(text, "README.md", "index.md", known) == (
        "[cards](weights.md) [one](zoo/fields.md#limits) ![s](images/a.jpg) code"
    )
    assert (
        hooks.led("[a](../../../docs/fields.md)", "src/mien/zoo/fields.md", "zoo/fields.md", known)
        == "[a](../fields.md)"
    )
    assert hooks.led("```\n[a](b.py)\n```", "README.md", "index.md", known) == "```\n[a](b.py)\n```"


def test_workflows_are_yaml():
    yaml = pytest.importorskip("yaml", reason="PyYAML is missing: pip install pyyaml")
    for path in sorted((ROOT / ".github").rglob("*.yml")):
        found = yaml.safe_load(path.read_text())
        assert isinstance(found, dict), path
        if path.parent.name == "workflows":
            assert found["jobs"] and all("runs-on" in job for job in found["jobs"].values())
