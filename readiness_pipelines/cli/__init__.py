"""`readiness`: data paths from the command line."""
