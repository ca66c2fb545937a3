"""Instances that ship: single ones by name, and suites with the best that is known of each."""
