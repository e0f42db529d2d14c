"""Files that TensorBoard shows, written by the package tensorboard."""

from importlib.util import find_spec as _find_spec

if _find_spec("tensorboard") is None:
    raise ModuleNotFoundError(
        "rustorch.utils.tensorboard needs the package tensorboard: pip install tensorboard", name="tensorboard"
    )

from .writer import FileWriter as FileWriter, SummaryWriter as SummaryWriter
