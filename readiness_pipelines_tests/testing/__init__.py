"""The kit that users' tests import."""
