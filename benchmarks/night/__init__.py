"""What a night costs, against the same work in DuckDB, and how that grows with people and history."""
