"""What a machine must beat: models that have learned little, or nothing."""

from typing import NamedTuple

import networkx as nx
import numpy as np

from annealnn.typing import AnyArray, Bits, Floats


class TrainTest(NamedTuple):
    """Mean log-likelihood per row, nats."""

    train: float
    test: float


def independent_spins(train: Bits, test: Bits) -> TrainTest:
    """Fit one Bernoulli mean to each bit."""
    p = np.clip(train.mean(axis=0), 0.5 / len(train), 1 - 0.5 / len(train))
    log_p = np.log(np.stack([1 - p, p]))
    columns = np.arange(train.shape[1])
    return TrainTest(*(float(log_p[rows, columns].sum(axis=1).mean()) for rows in (train, test)))


def chow_liu_tree(train: Bits, test: Bits, *, pseudo_count: float = 0.5) -> TrainTest:
    """Fit the tree of greatest likelihood (Chow & Liu 1968), with `pseudo_count` added to each pair's four counts."""
    n = train.shape[1]
    joint = _pair_tables(train, pseudo_count)
    single = _single_tables(train, pseudo_count)
    product = single[:, None, :, None] * single[None, :, None, :]
    information = (joint * np.log(joint / product)).sum(axis=(2, 3))
    graph = nx.Graph()
    graph.add_weighted_edges_from((i, j, float(information[i, j])) for i in range(n) for j in range(i))
    tree = nx.maximum_spanning_tree(graph)

    def mean_log_likelihood(rows: Bits) -> float:
        total = np.log(single[0, rows[:, 0]])
        for parent, child in nx.bfs_edges(tree, 0):
            table = joint[parent, child]
            conditional = np.log(table / table.sum(axis=1, keepdims=True))
            total = total + conditional[rows[:, parent], rows[:, child]]
        return float(total.mean())

    return TrainTest(mean_log_likelihood(train), mean_log_likelihood(test))


def _pair_tables(rows: Bits, pseudo_count: float) -> Floats:
    """Return P(x_i, x_j), (n, n, 2, 2)."""
    x = rows.astype(np.float64)
    both = np.stack([1 - x, x])
    counts = np.einsum("ari,brj->ijab", both, both, optimize=True)
    return np.asarray((counts + pseudo_count) / (len(rows) + 4 * pseudo_count))


def _single_tables(rows: Bits, pseudo_count: float) -> Floats:
    """Return P(x_i), (n, 2)."""
    ones = (rows.sum(axis=0) + 2 * pseudo_count) / (len(rows) + 4 * pseudo_count)
    return np.stack([1 - ones, ones], axis=1)


def logistic_regression_accuracy(X: Bits, y: AnyArray, X_test: Bits, y_test: AnyArray) -> float:
    """Return the test accuracy of multinomial logistic regression on the pixels."""
    from sklearn.linear_model import LogisticRegression

    return float(LogisticRegression(max_iter=5000).fit(X, y).score(X_test, y_test))


def mean_image_fill(train: Bits, damaged: Bits, known: AnyArray) -> Bits:
    """Fill unknown bits with the training data's majority, which learned one number a pixel."""
    majority = (train.mean(axis=0) > 0.5).astype(np.int8)
    return np.where(known, damaged, majority).astype(np.int8)
