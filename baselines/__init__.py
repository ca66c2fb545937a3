"""Reference agents: one file each, every one a solver of `dsct_gym.solver`."""
