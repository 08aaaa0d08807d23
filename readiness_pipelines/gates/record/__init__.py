"""One record at a time, judged as a batch of one, without an engine."""
