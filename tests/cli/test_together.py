"""Options that do nothing or contradict each other are refused in one line; what is given twice is told."""

import pytest

from mien.cli import shell
from mien.cli.together import CLASHES, NEEDS, check_together
from mien.errors import InputError
from tests.cli.test_cli import run

REFUSED = {
    "edit a.jpg --like-face 2 --expression fear -o b.png": "--like-face: does nothing without --like;",
    "neutralize a.jpg --ray-workers 2 -o b.png": "--ray-workers: does nothing without --ray;",
    "edit a.jpg --gaze 3 3 --intensity 0.5 -o b.png": "--expression, --say, --au, --blendshape or --like;",
    "edit a.jpg --aligned --face 2 --say A -o b.png": "--aligned and --face: choose one of them",
    "edit a.jpg --au 12=3 --blendshape mouthSmileLeft=0.2 -o b.png": "ask for the same action unit, 12;",
    "edit a.jpg --au 12=3 --au AU12=1 -o b.png": "ask for the same action unit, 12;",
    "edit a.jpg --au 12L=3 --au 12=1 -o b.png": "ask for the same action unit, 12;",
    "edit a.jpg --say A --preview b.png --report": "--report: is about the picture that is written;",
    "recognize a.jpg --all --face 2": "--all and --face: choose one of them",
    "recognize a.jpg --json --csv": "--json and --csv: choose one of them",
    "animate a.jpg --to fear --seed 3 -o b.mp4": "--seed: does nothing without --blinks;",
    "models --preset base": "--preset: does nothing without MODEL;",
    "train fields --data d --run r --adapt --preset base": "--preset and --adapt: choose one of them",
    "evaluate reading fields --data d -o o --parts 4": "--parts: does nothing without --folds;",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_would_be_passed_over_is_refused(capsys, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"")
    code, out, err = run(capsys, *words.split())
    assert code == 2 and not out and len(err.splitlines()) == 1 and REFUSED[words] in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


TOLD = {
    "edit a.jpg --say A --say O -o b.png": "--say: is given 2 times; the last counts",
    "edit a.jpg --say A -o b.png --output c.png": "-o: is given 2 times",
    "train fields --data d --run r --set lr=1 --set lr=2": "--set lr=1: gives way to lr=2",
}


@pytest.mark.parametrize("words", TOLD)
def test_of_what_is_given_twice_the_last_counts_and_it_is_told(capsys, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)  # where nothing lies, so that each ends there
    _, _, err = run(capsys, *words.split())
    assert f"careful: {TOLD[words]}" in err


def test_a_side_is_finer_than_both():
    from mien.cli.edit import units_named

    assert units_named(["12=3", "12L=5"], None) == {"12": 3, "12L": 5}
    assert units_named(["25=1"], ["jawOpen=0.5"])["25"] == 1  # of what a jaw parts besides


def test_help_comes_before_what_is_wrong(capsys):
    assert run(capsys, "edit", "--ray-workers", "2", "--help")[0] == 0


def options_of(group):
    """Yield every verb with the names of its options and arguments."""
    import typer

    command = typer.main.get_command(group) if isinstance(group, typer.Typer) else group
    for name, one in getattr(command, "commands", {"": command}).items():
        if hasattr(one, "commands"):
            yield from options_of(one)
        else:
            yield name, {word for p in one.params for word in (*p.opts, str(p.name).upper())}


def test_rules_name_options_that_are_there():
    known = {}
    for name, words in options_of(shell):
        known.setdefault(name, set()).update(words)
    known[""] = set.union(*known.values())
    for verb, needs in NEEDS.items():
        assert {*needs, *(word for words in needs.values() for word in words)} <= known[verb], verb
    for verb, pairs in CLASHES.items():
        assert {word for pair in pairs for word in pair} <= known[verb], verb


def test_what_goes_together_is_taken():
    check_together("edit", {"--like", "--like-face", "--ray", "--ray-workers", "--intensity"})
    with pytest.raises(InputError, match="--ray-workers"):
        check_together("edit", {"--ray-workers"})
