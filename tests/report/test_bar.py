import pytest

from audiocrawler.report.progress import Bar, bar_line


@pytest.mark.parametrize(
    ("numbers", "line"),
    [
        ((0, 10, 0, 0.0), "objects ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 10"),
        ((5, 10, 1_500_000, 30.0), "objects ████████████░░░░░░░░░░░░ 5 of 10 · 1.5 MB · 30.0 s left"),
        ((10, 10, 0, 60.0), "objects ████████████████████████ 10 of 10"),
        ((12, 10, 0, 60.0), "objects ████████████████████████ 12 of 10"),
        ((0, 0, 0, 0.0), "objects ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 0"),
    ],
)
def test_the_line_says_how_far_it_is(numbers, line):
    assert bar_line("objects", *numbers) == line


def test_a_terminals_bar_is_written_over_and_removed(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("audiocrawler.report.progress.TERMINAL_S", 0.0)
    with Bar("rows", 2) as bar:
        bar.advance()
        bar.advance()
    shown = capsys.readouterr().err.split("\r\x1b[K")
    assert [line.partition(" · ")[0][-6:] for line in shown[1:3]] == ["1 of 2", "2 of 2"]
    assert shown[3] == ""


def test_a_short_piece_of_work_leaves_no_lines_in_a_log(capsys):
    with Bar("rows", 100) as bar:
        for _ in range(100):
            bar.advance()
    assert capsys.readouterr().err == ""
