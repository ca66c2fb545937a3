"""Gymnasium environments: one episode is one instance, decided one step at a time.

Each id is one file: the docstring of its class is the specification, and its ``begin_…`` and
``step_…`` kernels list the parts that they are made of. `joint`, `assign` and `continuous` are
such files; what they share is the machinery around them:

- `episodes`: a batch of episodes; `single` and `vector` give it Gymnasium's interface, `sb3` that
  of Stable-Baselines3, `rendering` frames;
- `state`, `view`, `machines`, `curves`: the parts of kernels, by what they work on: episodes,
  observations, machines whose works are chosen, exact allocations;
- `observation`: columns, their places and the observation space;
- `options`, `source`, `sampling`, `bank`: where instances come from, and how kernels read them.

To add an id: write its file (`joint` is the shortest to start from) with a subclass of `Episodes`
and its single and batched class, and enter it in `dsct_gym.registration.ENVIRONMENTS`. Where
agents must not see what `view` shows, it brings a view of its own: a tuple of arrays and the parts
that write them. Kernels are written out, not built by functions: Numba's cache does not work on
closures.
"""
