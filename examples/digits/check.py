"""Opens the model that train.py saved, in a process of its own, and tests it again.

python examples/digits/check.py [demo_output]
"""

import json
import sys
from pathlib import Path

from rustorch.datasets import digits
from rustorch.safetensors import load_file

from model import DigitNet
from train import predict


def main() -> int:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo_output")
    model = DigitNet()
    model.load_state_dict(load_file(folder / "digits.safetensors"))
    _, accuracy = predict(model, digits(train=False))
    expected = json.loads((folder / "history.json").read_text())[-1]["test_accuracy"]
    print(f"opened {folder / 'digits.safetensors'} in a new process: test accuracy {accuracy:.2%}")
    if accuracy != expected:
        print(f"that is not the {expected:.2%} seen in training", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
