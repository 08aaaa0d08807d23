"""Our values as JSON: what the command line prints with ``--json``, and what the web page's API gives."""
