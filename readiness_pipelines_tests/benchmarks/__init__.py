"""Speed and memory beside peers: `make bench`. Not part of the tests."""
