"""One record over HTTP: a table's gate behind an address, for decisions that cannot wait for a batch."""
