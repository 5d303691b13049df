import pytest

from tests.discovery.pages import in_html, the_one


def row(*cells: str) -> str:
    return f"<table><tr><td><a href='a.mp3'>a</a></td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr></table>"


def test_a_row_tells_the_size_and_the_duration_of_its_file():
    found = the_one(in_html(row("Ada", "3.5 MB", "1:02:03")))
    assert (found.size_bytes, found.duration_ms) == (3_500_000, 3_723_000)


@pytest.mark.parametrize("cell", ["12", "2024", "20:15", "K", "v2.1", "4:3", "24-Foo-2024 10:00"])
def test_other_cells_tell_nothing(cell):
    found = the_one(in_html(row(cell)))
    assert (found.size_bytes, found.duration_ms, found.published_at) == (None, None, None)
