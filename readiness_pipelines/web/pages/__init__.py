"""One file a page: what it is given, and its template."""
