"""Training with Stable-Baselines3: configuration, network, runs; `dsct_gym.agents.stable` plays."""
