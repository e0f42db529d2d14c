"""Tools around training."""

from rustorch._lazy import getter as _getter

from . import data as data

# Imported when they are first used.
_SUBMODULES = frozenset(
    {
        "_foreach_utils",
        "_pytree",
        "benchmark",
        "checkpoint",
        "collect_env",
        "dlpack",
        "hooks",
        "model_zoo",
    }
)
__getattr__ = _getter(__name__, _SUBMODULES)
