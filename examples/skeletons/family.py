"""Copy me: a family of problems for the benchmark. An entry point in the group "annealnn.families" names `RING`."""

import numpy as np

from annealnn import IsingModel
from annealnn.benchmark import Instance, InstanceSpec, Optimum
from annealnn.benchmark.families import Family


def ring(size, *, seed=0, strength=1.0):
    """Return a ring of couplings +-strength.

    Proof: going round, each spin can satisfy its bond to the one before. The bond that closes the ring is then
    satisfied if the number of negative couplings is even. If it is odd, no state satisfies all bonds.
    """
    if size < 3 or strength <= 0:
        msg = f"a ring has at least 3 variables and a strength above 0; got size={size}, strength={strength}"
        raise ValueError(msg)
    signs = np.random.default_rng([size, seed]).choice([-1.0, 1.0], size)
    couplings = {(i, (i + 1) % size): strength * signs[i] for i in range(size)}
    state = np.cumprod([1.0, *signs[:-1]]).astype(np.int8)
    # the same spec builds the same problem, on any machine: all options are in it
    spec = InstanceSpec(family="ring", size=size, seed=seed, options={"strength": strength})
    energy = -strength * (size - 1 + signs[-1] * state[-1] * state[0])
    return Instance(
        spec=spec,
        model=IsingModel(dict.fromkeys(range(size), 0.0), couplings),
        optimum=Optimum(energy=float(energy), proof="planted", state=state),
    )


RING = Family(name="ring", build=ring, summary="ring of couplings +-1", source="textbooks", version="1")
