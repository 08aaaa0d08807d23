"""What a gate tests as plain values: its version, and the differences between two versions."""
