"""Search over sequences: who runs which tasks in which order and how much of each.

What solves problems with soft deadlines, where the order on a machine is not given by deadlines:
`Data` and `Sequences` are the state, `moves` what can be changed in it, `walk` and `search` the
annealing, `dispatching` rules that append one task after the other.
"""
