"""Draws what a terminal shows: ``some command | python docs/terminal_picture.py 'the command' > picture.svg``."""

import sys
from html import escape

NO_BREAK_SPACE = "&#160;"
"""Browsers run other spaces together."""
FONT_PX, LINE_PX, MARGIN_PX, CHARACTER_PX = 14, 20, 24, 8.43


def draw(command: str, lines: list[str]) -> str:
    """Return an SVG of the command at a prompt and the lines that it printed."""
    shown = [("#7ee787", f"$ {command}"), *(("#e6edf3", line) for line in lines)]
    width_px = round(max(len(text) for _, text in shown) * CHARACTER_PX + 2 * MARGIN_PX)
    height_px = len(shown) * LINE_PX + 2 * MARGIN_PX
    rows = "\n".join(
        f'<text x="{MARGIN_PX}" y="{MARGIN_PX + LINE_PX * number + FONT_PX}" fill="{colour}">{_kept(text)}</text>'
        for number, (colour, text) in enumerate(shown)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_px}" height="{height_px}" font-size="{FONT_PX}" '
        f'font-family="ui-monospace, DejaVu Sans Mono, Menlo, Consolas, monospace">\n'
        f'<rect width="100%" height="100%" rx="10" fill="#0d1117"/>\n{rows}\n</svg>\n'
    )


def _kept(text: str) -> str:
    return escape(text).replace(" ", NO_BREAK_SPACE)


if __name__ == "__main__":
    sys.stdout.write(draw(sys.argv[1], sys.stdin.read().rstrip("\n").split("\n")))
