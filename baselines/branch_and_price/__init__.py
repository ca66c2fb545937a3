"""Branch and price on machine schedules: pricing, master, column generation, tree."""
