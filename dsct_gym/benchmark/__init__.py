"""Solvers run on instances, scored against proven bounds."""
