"""Compiled loops: arrays in, arrays changed in place. No checks, no defaults, no Python objects.

Energies here have dimod's sign, E(s) = sum_i h_i s_i + sum_{i<j} J_ij s_i s_j, and P(s) is proportional to
exp(-beta E(s)). Couplings come as CSR of the symmetric matrix. Each read owns one generator state.
"""
