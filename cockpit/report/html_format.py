"""The report as one page of HTML that needs nothing else: the Markdown one, rendered."""

from __future__ import annotations

from html import escape

from cockpit.report.markdown import render as render_markdown
from cockpit.session.record.folder import SessionFolder
from cockpit.words import chosen

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }}
h1, h2, h3 {{ line-height: 1.2 }}
h2 {{ margin-top: 2.5rem; border-bottom: 1px solid #d0d0d0 }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
td, th {{ border: 1px solid #d0d0d0; padding: .25rem .6rem; text-align: left; vertical-align: top }}
th:empty {{ display: none }}
code, pre {{ font: 14px/1.4 ui-monospace, monospace; background: #f4f4f4 }}
td code, p code, li code {{ overflow-wrap: anywhere }}
pre {{ padding: .6rem; overflow-x: auto }}
blockquote {{ margin: 1rem 0; padding: .1rem 1rem; border-left: 4px solid #b00020 }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def render(folder: SessionFolder, language: str | None = None) -> str:
    """The page. Nothing in it is loaded from anywhere, and nothing in it runs. See `render` of `markdown.py`."""
    from markdown_it import MarkdownIt

    # Every value was escaped for Markdown; HTML that stands in it all the same is text as well.
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(render_markdown(folder, language))
    title = "".join(piece.content for piece in tokens[1].children or ())
    return _PAGE.format(language=chosen(), title=escape(title), body=parser.renderer.render(tokens, parser.options, {}))
