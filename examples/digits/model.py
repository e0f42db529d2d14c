"""The network that tells the digits apart."""

from rustorch import Tensor, nn


class DigitNet(nn.Module):
    """Three convolutions and a linear layer: images (N, 1, 8, 8) to scores (N, 10). 26,090 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 8x8 to 4x4
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 4x4 to 2x2
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64 * 2 * 2, 10))

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))
