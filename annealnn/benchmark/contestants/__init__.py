"""Contestants: samplers and solvers, each with its hardware and the times of its parts."""
