"""How the guides are built: ``sphinx-build docs out``, and ``-b man`` for the manual page."""

from vidstyle import __version__

project = "vidstyle"
copyright = "the vidstyle authors"
release = __version__

extensions = ["myst_parser", "sphinx_click"]
html_theme = "furo"
html_title = f"vidstyle {release}"
html_static_path = ["_static"]
html_css_files = ["wrap.css"]
# Headings are targets of links within and between pages.
myst_heading_anchors = 3
# Links to files of the repository, which are read there.
suppress_warnings = ["myst.xref_missing"]

man_pages = [("commands", "vidstyle", "restyle one object of a film shot", "", 1)]
