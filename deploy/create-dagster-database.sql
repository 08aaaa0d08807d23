-- Dagster's storage beside the catalog and the ledger: a database of its own, to be kept and backed up by itself.
CREATE DATABASE dagster;
