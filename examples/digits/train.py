"""Trains a small convolutional network on handwritten digits: your first RusTorch program.

python examples/digits/train.py [--epochs 15] [--seed 0] [--output demo_output]
"""

import argparse
import json
import time
from pathlib import Path

from tqdm import tqdm

import rustorch
import rustorch.nn.functional as F
from rustorch import Tensor, nn, optim
from rustorch.datasets import digits
from rustorch.safetensors import save_file
from rustorch.utils.data import DataLoader, TensorDataset

import plots
from model import DigitNet

BATCH_SIZE = 32
LEARNING_RATE = 3e-3


def train_step(model: nn.Module, optimizer: optim.Optimizer, images: Tensor, labels: Tensor) -> float:
    """Moves the parameters one step down the gradient of the loss, and returns the loss."""
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def predict(model: nn.Module, dataset: TensorDataset) -> tuple[Tensor, float]:
    """The digit that the model sees in each image, and the share of them that is right."""
    images, labels = dataset.tensors
    model.eval()
    with rustorch.no_grad():
        predictions = model(images).argmax(dim=1)
    return predictions, (predictions == labels).float().mean().item()


def train(model: nn.Module, training: TensorDataset, test: TensorDataset, epochs: int) -> list[dict[str, float]]:
    """Trains with AdamW, the learning rate falling linearly to 0; returns loss and test accuracy per epoch."""
    loader = DataLoader(training, batch_size=BATCH_SIZE, shuffle=True)
    optimizer = optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    history = []
    with tqdm(total=epochs * len(loader), unit="batch") as progress:
        for epoch in range(epochs):
            for group in optimizer.param_groups:
                group["lr"] = LEARNING_RATE * (1 - epoch / epochs)
            model.train()
            losses = []
            for images, labels in loader:
                losses.append(train_step(model, optimizer, images, labels))
                progress.update()
            loss = sum(losses) / len(losses)
            _, accuracy = predict(model, test)
            progress.write(f"epoch {epoch + 1:2}/{epochs}   loss {loss:.4f}   test accuracy {accuracy:.2%}")
            history.append({"loss": loss, "test_accuracy": accuracy})
    return history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("demo_output"))
    args = parser.parse_args()

    rustorch.manual_seed(args.seed)
    training, test = digits(train=True), digits(train=False)
    model = DigitNet()
    print(f"{model}\n\n{len(training)} digits to train on, {len(test)} held out for testing\n")

    start = time.perf_counter()
    history = train(model, training, test, args.epochs)
    print(f"\ntrained in {time.perf_counter() - start:.1f} s")

    args.output.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), args.output / "digits.safetensors")
    (args.output / "history.json").write_text(json.dumps(history, indent=1))
    plots.training_curve(history, args.output / "training_curve.png")
    predictions, _ = predict(model, test)
    plots.predictions(*test.tensors, predictions, args.output / "predictions.png")
    for name in ("digits.safetensors", "training_curve.png", "predictions.png"):
        print(f"wrote {args.output / name}")


if __name__ == "__main__":
    main()
