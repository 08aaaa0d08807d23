"""Tests of who hears."""
