"""How the learned agents are trained."""
