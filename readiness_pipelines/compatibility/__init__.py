"""Contracts as plain values, and two of them compared: what changed, who breaks, and whether notice was given."""
