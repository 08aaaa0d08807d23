"""The pages of docs/ that are made from the code, and the tests that hold docs to it."""
