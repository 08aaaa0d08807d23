"""Latest values of feature views."""
