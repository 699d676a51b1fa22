"""Whatever standard output is, or is not, training goes on."""

import io
import sys

import pytest

from tfwgan import screen
from tfwgan.screen import Screen


class Tee:
    """What many programs put in the place of standard output."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Broken(Tee):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def test_lines_go_to_whatever_takes_text(monkeypatch):
    for stream in (Tee(), io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stdout", stream)
        Screen().say("a line")
        assert (stream.text if isinstance(stream, Tee) else stream.getvalue()) == "a line\n"


@pytest.mark.parametrize(
    "stream",
    [
        None,
        closed(),
        Broken(BrokenPipeError()),
        Broken(OSError(28, "No space left")),
        Broken(ValueError()),
    ],
)
def test_what_takes_no_text_is_no_error(stream, monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream)
    shown = Screen()
    shown.say("a line")
    shown.status("a status")
    shown.say("another")
    assert not screen.is_terminal(stream)


def test_characters_that_an_encoding_lacks_are_escaped(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    Screen().say("fig. 3 × 4 面")
    assert stream.buffer.getvalue() == b"fig. 3 \\xd7 4 \\u9762\n"


def test_lines_stand_above_the_status_and_not_behind_it(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    shown = Screen()
    shown.status("step 1/9")
    shown.say("w1 0.5")
    shown.say("w1 0.4")
    assert terminal.getvalue() == "step 1/9\r\033[Kw1 0.5\nw1 0.4\n"


def test_a_status_is_for_terminals_and_no_wider(monkeypatch):
    for stream, length in ((io.StringIO(), 0), (Terminal(), 39)):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setenv("COLUMNS", "40")
        Screen().status("x" * 100)
        assert len(stream.getvalue()) == length


def test_a_quiet_screen_shows_nothing(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    screen.QUIET.say("a line")
    screen.QUIET.status("a status")
    assert terminal.getvalue() == ""
