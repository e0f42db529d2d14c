"""Training in numbers of fewer bits."""

from .grad_scaler import GradScaler as GradScaler
