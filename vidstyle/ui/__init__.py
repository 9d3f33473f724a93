"""``vidstyle ui``: a page in the browser over the same spine as the command line."""
