"""The reference domains, one page each, written as a user would write theirs."""
