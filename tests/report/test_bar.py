import io

import pyte
import pytest

from audiocrawler.report.live import Gauge, LiveArea, View
from audiocrawler.report.progress import Bar, done_of


class Screen(io.StringIO):
    """A terminal of a given width, by what it shows."""

    encoding = "utf-8"

    def __init__(self, columns: int) -> None:
        super().__init__()
        self._screen = pyte.Screen(columns, 24)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self._screen)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return len(text)

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self._screen.display if line.strip()]


@pytest.fixture(params=[20, 60, 80, 200])
def terminal(request, monkeypatch):
    screen = Screen(request.param)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(request.param))
    return screen


@pytest.mark.parametrize(
    ("numbers", "items"),
    [
        ((0, 10, 0, 0.0), ["0 of 10"]),
        ((5, 10, 1_500_000, 30.0), ["5 of 10", "1.5 MB", "30.0 s left"]),
        ((10, 10, 0, 60.0), ["10 of 10"]),
    ],
)
def test_the_bar_says_how_far_it_is(numbers, items):
    assert done_of(*numbers) == items


def test_a_terminals_bar_is_drawn_in_place_and_removed(terminal, monkeypatch):
    monkeypatch.setattr("audiocrawler.report.progress.TERMINAL_S", 0.0)
    monkeypatch.setattr("sys.stderr", terminal)
    with Bar("rows", 2) as bar:
        bar.advance()
        (half,) = terminal.lines()
        bar.advance()
        (whole,) = terminal.lines()
        assert half.startswith("rows █")
        assert half.count("█") == whole.count("█") // 2
        assert ("░" in half, "░" in whole) == (True, False)
        if len(half) > 20:
            assert ["1 of 2" in half, "2 of 2" in whole] == [True, True]
    assert terminal.lines() == []


@pytest.mark.parametrize("total", [0, 10])
def test_more_than_all_is_a_full_bar(terminal, total):
    area = LiveArea.on(terminal, lambda: View(gauges=[Gauge(12, total, ["12"])]))
    assert area is not None
    area.start()
    assert ("░" in terminal.lines()[0]) is (total == 0)
    area.stop()


def test_what_others_write_stands_above_whole(terminal):
    url = "https://example.org/" + "x" * 230
    area = LiveArea.on(terminal, lambda: View(["an item"] * 40))
    assert area is not None
    area.start()
    area.above.write(f"{url}\n[red] :smile: no markup\nbegun")
    area.refresh()
    *above, items = terminal.lines()
    assert "".join(above) == f"{url}[red] :smile: no markup"
    assert items.startswith("an item · an") or len(items) < 20
    area.stop()
    assert terminal.lines()[-1] == "begun"


def test_what_does_not_fit_is_left_off(terminal):
    area = LiveArea.on(terminal, lambda: View([str(number) * 9 for number in range(9)], [Gauge(1, 2, ["1" * 9] * 30)]))
    assert area is not None
    area.start()
    for _ in range(5):
        area.refresh()
    first, second = terminal.lines()
    assert "000000000" in first
    assert (first + " ").endswith(f"{first[-1] * 9} ")
    assert "█" in second
    area.stop()


def test_there_is_no_area_on_a_dumb_terminal(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert LiveArea.on(terminal, View) is None


def test_a_short_piece_of_work_leaves_no_lines_in_a_log(capsys):
    with Bar("rows", 100) as bar:
        for _ in range(100):
            bar.advance()
    assert capsys.readouterr().err == ""
