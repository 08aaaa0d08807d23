"""The lineage of a query's columns, read from its SQL."""
