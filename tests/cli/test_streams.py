"""Standard output that is closed or a pipe, and a folder that was removed under one's feet."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")


def sh(text, **how):
    """Run a line of the shell, in which "$M" is mien."""
    line = f'M="{sys.executable} -m mien"; {text}'
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=300, **how)


def test_words_that_nobody_hears_are_told_by_the_exit_code():
    said = sh("$M --version >&-")
    assert said.returncode == 2 and len(said.stderr.splitlines()) == 1
    assert said.stderr.startswith("mien: standard output: is closed")


def test_a_folder_that_was_removed_is_told(tmp_path):
    (tmp_path / "gone").mkdir()
    said = sh("cd gone; rmdir ../gone; $M recognize ../face.jpg", cwd=tmp_path)
    assert said.returncode == 2
    assert said.stderr == "mien: the folder that you are in was removed; change into another one, by cd\n"


def test_a_pipe_gets_whole_lines():
    said = sh("COLUMNS=1 $M models; COLUMNS=1 $M models landmarks")
    title, *rows = said.stdout.splitlines()
    assert title.split()[0] == "model" and title.endswith("weights that come along")
    assert any(row.startswith("landmarks") for row in rows) and any(row.startswith("image_size = ") for row in rows)
