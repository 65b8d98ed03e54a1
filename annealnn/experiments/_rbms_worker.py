"""Train the package rbms on rows of bits: run under an interpreter that has it, `python _rbms_worker.py FOLDER`.

Reads rows.npy and settings.json, writes fitted.npz: weights (n_hidden, n_visible), visible, hidden, all for bits.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def main(folder: Path) -> None:
    """Train by persistent contrastive divergence, and keep the last parameters."""
    import torch
    from rbms.dataset.dataset_class import RBMDataset
    from rbms.io import load_params
    from rbms.training.pcd import train

    settings = json.loads((folder / "settings.json").read_text())
    rows = np.load(folder / "rows.npy").astype(np.float32)
    cpu, single = torch.device("cpu"), torch.float32
    torch.manual_seed(settings["seed"])

    def dataset(data: Any) -> Any:
        return RBMDataset(
            data=data,
            labels=-np.ones(len(data)),
            weights=np.ones(len(data), np.float32),
            names=np.arange(len(data)),
            dataset_name="rows",
            is_binary=True,
            device="cpu",
            dtype=single,
        )

    last = settings["num_updates"]
    arguments = {
        "filename": str(folder / "machine.h5"),
        "overwrite": True,
        "restore": False,
        "num_hiddens": settings["n_components"],
        "batch_size": settings["batch_size"],
        "gibbs_steps": 1,
        "learning_rate": settings["learning_rate"],
        "num_chains": settings["num_chains"],
        "num_updates": last,
        "beta": 1.0,
        "no_center": False,
        "training_type": "pcd",
        "L1": 0.0,
        "L2": settings["weight_decay"],
        "seed": settings["seed"],
        "train_size": 1.0,
        "test_size": 0.0,
        "device": "cpu",
        "dtype": single,
        "log": False,
    }
    train(dataset(rows), dataset(rows[:10]), "BBRBM", arguments, single, np.array([last]))
    machine = load_params(arguments["filename"], last, cpu, single)
    np.savez(
        folder / "fitted.npz",
        weights=machine.weight_matrix.numpy().T.astype(np.float64),
        visible=machine.vbias.numpy().astype(np.float64),
        hidden=machine.hbias.numpy().astype(np.float64),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
