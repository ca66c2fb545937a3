"""Local search over assignments on the exact incremental allocation."""
