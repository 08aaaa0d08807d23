"""Inserts, updates and deletes of a database's table as raw rows."""
