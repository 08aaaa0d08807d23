"""The web page: what there is and what to do, in a browser, and the same as JSON."""
