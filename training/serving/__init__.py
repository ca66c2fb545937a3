"""How `rl-service` is trained: PPO of Stable-Baselines3 on ``DSCT-EA-Service-v0``.

    dsct-gym train --config service-ppo -o DIR

`practice` draws the services, `venv` steps them side by side, `buffer` discounts by the time that
passed, `policy` is the network, `held_out` what it is watched on, `run` the training.
"""
