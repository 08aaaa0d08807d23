"""What leaves the lakehouse."""
