"""Learned agents: network, decoding, checkpoints and the weights that ship."""
