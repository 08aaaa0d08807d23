"""DuckDB: the engine that judges unless another is chosen, and the measure for others."""
