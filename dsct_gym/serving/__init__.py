"""Serving: requests to one GPU that are batched, run unit by unit, each unit at a clock of its own.

After EALI (Yao et al., Neurocomputing 507, 2022), whose full text is not public: every formula here
is this project's own. Types and results are its own too; nothing of DSCT-EA knows them.
"""
