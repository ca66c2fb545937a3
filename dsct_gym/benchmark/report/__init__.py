"""A folder of results as one page that opens offline, and as tables."""
