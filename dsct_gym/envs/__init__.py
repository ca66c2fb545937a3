"""Gymnasium environments: one episode is one instance, tasks are decided in EDF order."""
