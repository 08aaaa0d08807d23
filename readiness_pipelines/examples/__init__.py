"""The reference KPI paths, one file each, written as a user would write theirs."""
