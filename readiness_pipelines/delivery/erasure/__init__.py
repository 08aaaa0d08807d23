"""A person erased: found by a register of keyed hashes, taken out of tables, ledger and landed files; proved."""
