"""thrml's block Gibbs sampling, compiled by JAX, in turn with us (see serve.py)."""

from serve import one_thread, read_task, serve

one_thread()

import jax
import numpy as np
from jax import numpy as jnp
from thrml import Block, SamplingSchedule, SpinNode, sample_states
from thrml.models import IsingEBM, IsingSamplingProgram, hinton_init

task = read_task()
nodes = [SpinNode() for _ in task.fields]
# thrml's energy has a minus in front of each term
model = IsingEBM(
    nodes,
    [(nodes[i], nodes[j]) for i, j in task.edges],
    jnp.array(-task.fields, jnp.float32),
    jnp.array(-task.couplings, jnp.float32),
    jnp.array(1.0, jnp.float32),
)
members = [np.flatnonzero(task.colours == colour) for colour in np.unique(task.colours)]
blocks = [Block([nodes[i] for i in spins]) for spins in members]
program = IsingSamplingProgram(model, blocks, clamped_blocks=[])
# the state after the warm-up is the sample
schedule = SamplingSchedule(n_warmup=task.sweeps, n_samples=1, steps_per_sample=1)


@jax.jit
def advance(key, state):
    keys = jax.random.split(key, task.particles)
    new = jax.vmap(lambda k, s: sample_states(k, program, schedule, s, [], blocks))(keys, state)
    return [bits[:, 0] for bits in new]


key = jax.random.key(1)
state = hinton_init(key, model, blocks, (task.particles,))


def call():
    global key, state
    key, drawn = jax.random.split(key)
    state = advance(drawn, state)
    spins = np.empty((task.particles, len(nodes)), np.int8)
    for which, bits in zip(members, state, strict=True):
        spins[:, which] = 2 * np.asarray(bits) - 1
    return spins


serve(task, ("thrml", "jax", "equinox"), call)
