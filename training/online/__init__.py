"""How `rl-online` is trained: evolution of its weights on generated arrivals.

    dsct-gym train --config online -o DIR

`practice` draws the arrivals and plays them, `evolution` proposes weights, `run` is the training.
"""
