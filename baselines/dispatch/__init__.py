"""Rules for tasks that arrive over time: each decides without knowing what comes."""
