"""What a gate says of a batch, and how it comes to an outcome."""
