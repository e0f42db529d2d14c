"""Optimizers and schedules: what is asked of PyTorch, and of RusTorch."""

import math
from typing import Any

import numpy as np

# name: (class, settings)
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {"lr": 0.1}),
    "sgd momentum": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    "sgd dampening": ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.5}),
    "sgd nesterov": ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "sgd maximize": ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True}),
    "adam": ("Adam", {"lr": 0.1}),
    "adam amsgrad": ("Adam", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-4, "amsgrad": True}),
    "adam decay": ("Adam", {"lr": 0.1, "weight_decay": 0.2}),
    "adam maximize": ("Adam", {"lr": 0.1, "maximize": True}),
    "adamw": ("AdamW", {"lr": 0.1}),
    "adamw decay": ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
    "adagrad": ("Adagrad", {"lr": 0.3, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2}),
    "adagrad maximize": ("Adagrad", {"lr": 0.01, "maximize": True}),
    "adadelta": ("Adadelta", {"lr": 2.0, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    "adadelta maximize": ("Adadelta", {"lr": 0.5, "maximize": True}),
    "adamax": ("Adamax", {"lr": 0.1, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    "adamax maximize": ("Adamax", {"lr": 0.01, "maximize": True}),
    "nadam": ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.05}),
    "nadam decoupled": ("NAdam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True}),
    "radam": ("RAdam", {"lr": 0.1, "weight_decay": 0.1}),
    "radam decoupled": ("RAdam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True, "maximize": True}),
    "radam short": ("RAdam", {"lr": 0.1, "betas": (0.5, 0.6), "eps": 1e-2}),
    "rmsprop": ("RMSprop", {"lr": 0.05, "alpha": 0.8, "weight_decay": 0.1}),
    "rmsprop centered": ("RMSprop", {"lr": 0.05, "centered": True, "momentum": 0.5, "maximize": True}),
    "rmsprop momentum": ("RMSprop", {"lr": 0.05, "momentum": 0.9, "eps": 1e-2}),
    "rprop": ("Rprop", {"lr": 0.3, "etas": (0.4, 1.3), "step_sizes": (0.02, 0.5)}),
    "rprop maximize": ("Rprop", {"lr": 0.01, "maximize": True}),
    "asgd": ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.6, "t0": 4, "weight_decay": 0.1}),
    "asgd maximize": ("ASGD", {"lr": 0.01, "maximize": True}),
    "adafactor": ("Adafactor", {"lr": 0.3, "weight_decay": 0.1, "d": 1.5}),
    "adafactor maximize": ("Adafactor", {"lr": 0.1, "beta2_decay": -1.0, "eps": (1e-3, 1e-2), "maximize": True}),
}


def optimizer_path(library: Any, kind: str, settings: dict[str, Any], device: str = "cpu") -> np.ndarray:
    """Ten steps on a crooked function of two parameters in float64: their values after each, (10, 7)."""
    rng = np.random.default_rng(3)
    target, mix = (library.from_numpy(rng.normal(size=shape)).to(device) for shape in ((4,), (4, 3)))
    a, b = (library.from_numpy(rng.normal(size=n)).to(device).requires_grad_() for n in (4, 3))
    optimizer = getattr(library.optim, kind)([{"params": [a]}, {"params": [b], "lr": settings["lr"] / 2}], **settings)
    path = []
    for _ in range(10):
        optimizer.zero_grad()
        loss = ((a - target) ** 2).sum() + ((mix @ b).sin() * a.tanh()).sum()
        loss.backward()
        optimizer.step()
        path.append(np.concatenate([p.detach().to("cpu").numpy() for p in (a, b)]))
    return np.stack(path)


# name: (class, settings); what calls its closure, or takes matrices alone
MATRIX_OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "lbfgs": ("LBFGS", {"lr": 0.1, "max_iter": 4, "history_size": 3}),
    "lbfgs wolfe": ("LBFGS", {"lr": 1.0, "max_iter": 5, "line_search_fn": "strong_wolfe"}),
    "lbfgs long first step": ("LBFGS", {"lr": 40.0, "max_iter": 3, "line_search_fn": "strong_wolfe"}),
    "lbfgs short first step": ("LBFGS", {"lr": 1e-3, "max_iter": 3, "line_search_fn": "strong_wolfe"}),
    "adafactor matrix": ("Adafactor", {"lr": 0.1, "weight_decay": 0.1}),
}


def matrix_path(library: Any, kind: str, settings: dict[str, Any], device: str = "cpu") -> np.ndarray:
    """Five steps of a closure on a matrix in float64, (5, 12)."""
    rng = np.random.default_rng(4)
    w = library.from_numpy(rng.normal(size=(4, 3))).to(device).requires_grad_()
    x, y = (library.from_numpy(rng.normal(size=shape)).to(device) for shape in ((6, 4), (6, 3)))
    optimizer = getattr(library.optim, kind)([w], **settings)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = ((x @ w).tanh() - y).pow(2).sum() + 0.1 * (w**4).sum()
        loss.backward()
        return loss

    path = []
    for _ in range(5):
        optimizer.step(closure)
        path.append(w.detach().to("cpu").numpy().reshape(-1).copy())
    return np.stack(path)


# name: how to build it from the module lr_scheduler and an optimizer
SCHEDULES: dict[str, Any] = {
    "linear": lambda s, o: s.LinearLR(o, 0.2, 0.9, 4),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 3, 0.1),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.9 - 0.01 * epoch),
    "constant": lambda s, o: s.ConstantLR(o, 0.5, 3),
    "polynomial": lambda s, o: s.PolynomialLR(o, 5, 2.0),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.01),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, 3),
    "cyclic halved": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, mode="triangular2"),
    "cyclic exponential": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, mode="exp_range", gamma=0.9),
    "cyclic scaled": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, scale_fn=lambda x: 1 / x, cycle_momentum=False),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.1, 14),
    "one cycle of three": lambda s, o: s.OneCycleLR(
        o, 0.1, epochs=7, steps_per_epoch=2, three_phase=True, anneal_strategy="linear"
    ),
    "sequential": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.CosineAnnealingLR(o, 4)], [3, 6]
    ),
    "chained": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, 3), s.ExponentialLR(o, 0.9), s.LinearLR(o, 0.5, 1.0, 4)]
    ),
    "plateau": lambda s, o: s.ReduceLROnPlateau(o, patience=1, cooldown=1, factor=0.5),
    "plateau of a maximum": lambda s, o: s.ReduceLROnPlateau(
        o, "max", patience=0, threshold=0.1, threshold_mode="abs", min_lr=0.2
    ),
}


def schedule_path(library: Any, build: Any, kind: str) -> np.ndarray:
    """Learning rate and momentum over 13 epochs, (13, 2)."""
    settings = {"momentum": 0.5} if kind == "SGD" else {}
    optimizer = getattr(library.optim, kind)([library.ones(1, requires_grad=True)], lr=1.0, **settings)
    schedule = build(library.optim.lr_scheduler, optimizer)
    path = []
    for epoch in range(13):
        group = optimizer.param_groups[0]
        path.append([group["lr"], group["momentum"] if kind == "SGD" else group["betas"][0]])
        optimizer.step()
        measure = [math.sin(epoch)] if "Plateau" in type(schedule).__name__ else []
        schedule.step(*measure)
    return np.array(path)
