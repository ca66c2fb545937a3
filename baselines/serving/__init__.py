"""Agents of a service: one file each, by name in the entry points ``dsct_gym.serving_agents``."""
