"""The page of a domain that contracts become: its text."""
