"""Answers `import torch` with RusTorch."""

import rustorch

rustorch.as_torch()
