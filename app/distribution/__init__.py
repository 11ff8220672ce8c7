"""Distribution: plans, the engines that decide who earns, awards, levels, explanations."""
