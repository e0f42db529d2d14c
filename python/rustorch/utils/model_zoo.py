"""Old names of functions of `rustorch.hub`."""

from rustorch.hub import load_state_dict_from_url as load_url, tqdm as tqdm

__all__ = ["load_url"]
