"""Quality against time: the policy and annealing."""
