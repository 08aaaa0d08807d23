"""The gate's verdict against Pandera's own."""
