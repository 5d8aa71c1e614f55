"""Writes html_entities.txt, the named character references of HTML5, from Python's own table.

One line a name, sorted by bytes: the name, then its characters as hexadecimal numbers. Names that
need no semicolon stand there twice, with and without it.
"""

import html.entities
import pathlib

entities = sorted(html.entities.html5.items(), key=lambda item: item[0].encode())
lines = [" ".join([name, *(f"{ord(c):X}" for c in text)]) for name, text in entities]
(pathlib.Path(__file__).parent / "html_entities.txt").write_text("\n".join(lines) + "\n")
