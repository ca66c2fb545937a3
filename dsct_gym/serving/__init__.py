"""Inference requests at one GPU: batching and clocks under a latency objective (after EALI).

Requests arrive, wait, are batched and run layer unit by layer unit, each unit at a clock; the aim
is the least energy such that few requests take longer than the objective. Source: Yao et al.,
"EALI", Neurocomputing 507, 2022, of which only the abstract is public: all formulas are this
project's own.

- `table`: what a network costs on a GPU, by unit, batch and clock;
- `card`: the GPU as kernels run it, with clocks that take effect late;
- `rule`: what an agent decides, as tables over requests waiting and age of the oldest;
- `service`: requests served by a rule; `outcome`: what is told of it;
- `agent`: what an agent is told and what it gives; `plans`: clocks for each unit.
"""
