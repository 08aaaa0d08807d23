"""Spark, for batches that one machine cannot hold. Importing these modules by name alone loads PySpark."""
