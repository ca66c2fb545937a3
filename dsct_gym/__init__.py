"""Scheduling compressible ML inference under deadlines and one energy budget (DSCT-EA)."""
