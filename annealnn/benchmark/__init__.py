"""Who solves which problems how fast: families of problems, contestants, a runner, and the statistics of the field."""
