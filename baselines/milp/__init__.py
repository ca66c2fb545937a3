"""What `mip` is made of: the Pyomo model, its two backends, the smooth curves."""
