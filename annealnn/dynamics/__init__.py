"""What an ideal and a noisy annealer do: coherent, adiabatic and open dynamics of Eq. (1), exact at small sizes."""
