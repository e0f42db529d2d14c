"""Scaling of losses, so that gradients of few bits do not vanish."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

from rustorch import _C
from rustorch._C import Tensor
from rustorch.autograd.grad_mode import no_grad
from rustorch.optim.optimizer import Optimizer

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """What was done with an optimizer's gradients since the last update."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _refresh_per_optimizer_state() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Multiplies losses by a factor before backward, and divides gradients by it before an optimizer's step.

    Gradients in float16 that are too small become 0; those of a loss times 65536 do not. `step` skips the optimizer's
    step when a gradient is infinite or NaN, for then the factor was too large; `update` then makes the factor smaller,
    and larger again after a number of steps without such a gradient. If not enabled it only calls the optimizer.

    Args:
        device: the kind of device on which losses are. 'cuda' without CUDA warns and is not enabled. Default: 'cuda'.
        init_scale: the factor at first. Default: 65536.0.
        growth_factor: what `update` multiplies it by after `growth_interval` steps, above 1. Default: 2.0.
        backoff_factor: what `update` multiplies it by after a skipped step, below 1. Default: 0.5.
        growth_interval: how many steps in a row without an infinite gradient make it grow. Default: 2000.
        enabled: whether to scale. Default: True.

    Raises:
        AssertionError: `growth_factor` is not above 1, or `backoff_factor` not below.

    Example:

    >>> weight = rustorch.nn.Parameter(rustorch.tensor([1.0]))
    >>> optimizer = rustorch.optim.SGD([weight], lr=0.5)
    >>> scaler = rustorch.amp.GradScaler("cpu", init_scale=1024.0)
    >>> loss = (weight * 3).sum()
    >>> scaler.scale(loss).backward()
    >>> weight.grad
    tensor([3072.])
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> weight.item(), scaler.get_scale()
    (-0.5, 1024.0)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and _C._device_count("cuda") == 0:
            warnings.warn("GradScaler is enabled for 'cuda', but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError(f"The growth factor must be > 1.0, but got {growth_factor}.")
        if backoff_factor >= 1.0:
            raise AssertionError(f"The backoff factor must be < 1.0, but got {backoff_factor}.")
        self._init_scale = init_scale
        # Made on the device of the first loss.
        self._scale: Tensor | None = None
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._per_optimizer_states: dict[int, dict[str, Any]] = defaultdict(_refresh_per_optimizer_state)

    def _scale_of(self, function: str) -> Tensor:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {function} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """The outputs times the factor: a tensor, or an iterable of tensors, of which lists and tuples keep their type.

        Anything else is a ValueError.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._scale = _C.full((), self._init_scale, dtype=_C.float32, device=outputs.device)
            return outputs * self._scale.to(outputs.device)
        if isinstance(outputs, Iterable):
            scaled = map(self.scale, outputs)
            make: Any = type(outputs)
            return make(scaled) if isinstance(outputs, list | tuple) else scaled
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _unscale_grads_(
        self, optimizer: Optimizer, inv_scale: Tensor, found_inf: Tensor, allow_fp16: bool
    ) -> dict[_C.device, Tensor]:
        """Multiplies an optimizer's gradients, and says for each device whether one of them was not finite."""
        found: dict[_C.device, Tensor] = {}
        with no_grad():
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    grad = parameter.grad
                    if grad is None:
                        continue
                    if not allow_fp16 and grad.dtype is _C.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    on_device = found.setdefault(grad.device, found_inf.to(grad.device, copy=True))
                    on_device.logical_or_(grad.isfinite().all().logical_not_())
                    grad.mul_(inv_scale.to(grad.device))
        return found

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divides an optimizer's gradients by the factor, once per step; `step` does so where it was not done before.

        Between this and `step` gradients can be clipped. A second call before `update`, or one after `step`, is a
        RuntimeError; gradients in float16 are a ValueError.
        """
        if not self._enabled:
            return
        scale = self._scale_of("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inv_scale = scale.double().reciprocal().float()
        found_inf = _C.zeros((), dtype=_C.float32, device=scale.device)
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inv_scale, found_inf, False)
        state["stage"] = OptState.UNSCALED

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step, with gradients divided by the factor; none if one of them is infinite or NaN.

        Gives what the optimizer's step gives. A closure, or a second call before `update`, is a RuntimeError. An
        optimizer with a true `_step_supports_amp_scaling` is called in any case, and finds `grad_scale` and `found_inf`
        in itself.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        scale = self._scale_of("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            return self._step_of_its_own(optimizer, scale, state, args, kwargs)
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if not state["found_inf_per_device"]:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None
        if not any(found.item() for found in state["found_inf_per_device"].values()):
            result = optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _step_of_its_own(
        self, optimizer: Any, scale: Tensor, state: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if state["stage"] is OptState.READY:
            self._check_inf_per_device(optimizer)
            optimizer.grad_scale = scale * getattr(optimizer, "grad_scale", 1)
        else:
            optimizer.grad_scale = getattr(optimizer, "grad_scale", None)
        found = [found.to(scale.device) for found in state["found_inf_per_device"].values()]
        optimizer.found_inf = sum(found)
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            state["stage"] = OptState.STEPPED
            del optimizer.grad_scale, optimizer.found_inf

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Ends an iteration: makes the factor smaller if a step was skipped, and larger if none was for a while.

        `new_scale`, a number or a tensor of one without a gradient, becomes the factor instead. An AssertionError if no
        optimizer's gradients were looked at.
        """
        if not self._enabled:
            return
        scale = self._scale_of("update")
        if isinstance(new_scale, Tensor):
            if new_scale.numel() != 1 or new_scale.requires_grad:
                raise AssertionError("new_scale should be a float or a 1-element tensor with requires_grad=False.")
            scale.copy_(new_scale.reshape(()))
        elif new_scale is not None:
            scale.fill_(float(new_scale))
        else:
            found = [
                found
                for state in self._per_optimizer_states.values()
                for found in state["found_inf_per_device"].values()
            ]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._adapt(scale, any(on_device.item() for on_device in found))
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _adapt(self, scale: Tensor, skipped: bool) -> None:
        if skipped:
            scale.mul_(self._backoff_factor)
            self._growth_tracker = 0
            return
        self._growth_tracker += 1
        if self._growth_tracker == self._growth_interval:
            grown = scale * self._growth_factor
            # It never grows to infinity.
            if grown.isfinite().item():
                scale.copy_(grown)
            self._growth_tracker = 0

    def _get_scale_async(self) -> Tensor | None:
        return self._scale

    def get_scale(self) -> float:
        """The factor; 1.0 if not enabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """What the factor is multiplied by to grow."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets what the factor is multiplied by to grow."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is multiplied by after a skipped step."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets what the factor is multiplied by after a skipped step."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many steps the factor grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        return self._growth_tracker if self._enabled else 0

    def is_enabled(self) -> bool:
        """Whether it scales."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The factor, how it changes, and how many steps went well in a row; empty if not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes what another scaler's `state_dict` gave; nothing if not enabled. An empty one is a RuntimeError."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                    "scaler.update()."
                )
            state |= {"_init_scale": self.get_scale(), "_scale": None}
        return state

    def _check_inf_per_device(self, optimizer: Optimizer) -> dict[_C.device, Tensor]:
        """Whether gradients are not finite, by device, without changing them."""
        device = self._scale_of("_check_inf_per_device").device
        one, zero = _C.ones((), dtype=_C.float32, device=device), _C.zeros((), dtype=_C.float32, device=device)
        found = self._unscale_grads_(optimizer, one, zero, True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def _found_inf_per_device(self, optimizer: Optimizer) -> dict[_C.device, Tensor]:
        found: dict[_C.device, Tensor] = self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]
        return found
