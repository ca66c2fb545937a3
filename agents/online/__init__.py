"""`rl-online`: learned prices of time and energy for tasks that arrive, and what runs next.

`demand` finds at which price of work the known and the expected tasks would just fill a capacity,
`outlook` what is known at a decision as a few numbers, `decision` makes prices of them and picks
the task; `weights` keeps what is learned, `dispatch` is the solver. How it is trained:
`dsct_gym.training.online`.
"""
