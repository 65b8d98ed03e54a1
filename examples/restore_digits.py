"""
Completing damaged digits
=========================

A machine that has learned the joint distribution of all pixels can hold the known ones and sample the others. Beside
it stands a filling that ignores the known pixels: the majority of the training images.
"""

import matplotlib.pyplot as plt
import numpy as np

from annealnn import BoltzmannMachine
from annealnn.datasets import load_optdigits

digits = {"classes": [1, 2, 3, 4], "crop": "7x6", "return_X_y": True}
X, _ = load_optdigits("train", **digits)
machine = BoltzmannMachine(n_iter=300, progress=False, random_state=0).fit(X)

# %%
# A hundred digits of the test file, by writers whom the machine has not seen. Three rows of pixels are missing.
original = load_optdigits("test", **digits)[0][:100]
known = np.ones((7, 6), dtype=bool)
known[2:5] = False
known = known.ravel()

filled = {
    "majority image": np.where(known, original, X.mean(axis=0) > 0.5),
    "Boltzmann machine": machine.reconstruct(original, known, random_state=0),
}
for name, images in filled.items():
    # pixels of one image go wrong together: the error is taken over images
    wrong = (images != original)[:, ~known].mean(axis=1)
    print(f"{name}: {wrong.mean():.3f} ± {wrong.std() / len(wrong) ** 0.5:.3f} of the missing pixels are wrong")

# %%
# Ten of them. Missing pixels are grey.
rows = {"original": original, "damaged": np.where(known, original, 0.5), **filled}
figure, axes = plt.subplots(len(rows), 10, figsize=(8, 5))
for line, (name, images) in zip(axes, rows.items(), strict=True):
    line[0].set_title(name, loc="left")
    for ax, image in zip(line, images, strict=False):
        ax.imshow(image.reshape(7, 6), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
