"""dwave-pytorch-plugin's BlockSampler, in turn with us (see serve.py)."""

from serve import one_thread, read_task, serve

one_thread()

import torch
from dwave.plugins.torch.models import GraphRestrictedBoltzmannMachine
from dwave.plugins.torch.samplers import BlockSampler

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
task = read_task()
machine = GraphRestrictedBoltzmannMachine(
    range(len(task.fields)),
    [tuple(edge) for edge in task.edges.tolist()],
    linear=dict(enumerate(task.fields.tolist())),
    quadratic={tuple(edge): value for edge, value in zip(task.edges.tolist(), task.couplings.tolist(), strict=True)},
)
colours = task.colours.tolist()
# a seed, since without one every sampler of a process would start from torch's fixed default
sampler = BlockSampler(
    machine, lambda node: colours[node], num_chains=task.particles, schedule=[1.0] * task.sweeps, seed=1
)
serve(task, ("dwave-pytorch-plugin", "torch"), sampler.sample)
