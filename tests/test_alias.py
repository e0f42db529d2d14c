"""Programs that import torch run on RusTorch: `rustorch run`, `rustorch.as_torch()` and the installed alias."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import rustorch

pytestmark = [pytest.mark.rustorch_only, pytest.mark.cpu_only]

TRAINING = """
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(4 * 3 * 3, 2)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return F.log_softmax(self.fc(torch.flatten(x, 1)), dim=1)

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--no-cuda", action="store_true")
    args = parser.parse_args()
    device = torch.device("cuda" if not args.no_cuda and torch.cuda.is_available() else "cpu")
    torch.manual_seed(1)
    x = torch.randn(64, 1, 8, 8)
    y = (x.mean((1, 2, 3)) > 0).long()
    loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
    model = Net().to(device)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    scheduler = StepLR(optimizer, step_size=10, gamma=0.7)
    losses = []
    for epoch in range(args.epochs):
        for data, target in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(model(data.to(device)), target.to(device))
            loss.backward()
            optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    again = Net()
    again.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert torch.equal(again(x), model(x))
    print(losses[-1] < losses[0], device)

if __name__ == "__main__":
    main()
"""


def python(*arguments: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    found = os.pathsep.join(filter(None, [str(Path(rustorch.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": found, **environment},
        check=False,
        timeout=60,
    )


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return python("-m", "rustorch", "run", *arguments, cwd=cwd)


def output(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout.rstrip("\n")


@pytest.fixture
def script(tmp_path: Path):
    """Writes a program; gives its path."""

    def write(text: str, name: str = "program.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def test_a_training_program_runs_unmodified(script) -> None:
    assert output(run(script(TRAINING), "--epochs", "12", "--no-cuda")) == "True cpu"


def test_texts_say_torch(script) -> None:
    text = output(
        run(
            script(
                """
import torch
x = torch.ones(2, dtype=torch.float64)
print(torch.float32, str(torch.bool), torch.Size([2]), x.shape[:1], x.type(), torch.ones(2).type(), type(x))
print(x, torch.device("cpu"), torch.channels_last, torch.strided, torch.finfo(torch.half).dtype)
print(x.type("torch.IntTensor"), torch.version.cuda, torch.version.__version__)
"""
            )
        )
    )
    assert text.splitlines() == [
        "torch.float32 torch.bool torch.Size([2]) torch.Size([2]) torch.DoubleTensor torch.FloatTensor "
        "<class 'torch.Tensor'>",
        "tensor([1., 1.], dtype=torch.float64) cpu torch.channels_last torch.strided float16",
        f"tensor([1, 1], dtype=torch.int32) {rustorch.version.cuda} 2.13.0",
    ]


def test_modules_are_the_very_same_and_keep_their_names(script) -> None:
    text = output(
        run(
            script(
                """
import torch.nn.functional as F, torch.utils.data, rustorch, sys, importlib.util
from torch.nn.modules.conv import Conv2d
assert F is rustorch.nn.functional is sys.modules["torch.nn.functional"]
assert torch is rustorch and torch.utils.data is rustorch.utils.data and Conv2d is rustorch.nn.Conv2d
assert rustorch.nn.__spec__.name == rustorch.nn.__name__ == "rustorch.nn"
assert importlib.util.find_spec("torch.nn.init") and not importlib.util.find_spec("torch.nothing_of_the_kind")
rustorch.as_torch()
print(sum(type(f).__name__ in ("_Finder", "_MissingNames") for f in sys.meta_path))
"""
            )
        )
    )
    assert text == "2"


def test_classes_and_functions_are_torchs(script) -> None:
    program = """
import inspect, pickle, sys, typing
import torch
from torch import nn
from torch.distributions import Normal
model = nn.Sequential(nn.Linear(2, 3), nn.LSTM(3, 4), nn.ReLU())
print(*(type(part) for part in model), type(torch.optim.SGD(model.parameters())), type(model[0].weight), Normal)
assert b"ctorch.nn.modules.linear\\nLinear" in pickle.dumps(model, protocol=0)
assert repr(pickle.loads(pickle.dumps(model))) == repr(model)
assert inspect.getmodule(nn.Linear) is sys.modules["torch.nn.modules.linear"] is torch.nn.modules.linear
assert typing.get_type_hints(nn.Linear.forward)["return"] is torch.Tensor

class Own(Normal):
    def __init__(self, loc):
        super().__init__(loc, 1.0)

try:
    Own(torch.zeros(2)).expand((3, 2))
except NotImplementedError as error:
    print(type(error))
print(Normal(0.0, 1.0).expand((2,)).loc.shape, type(torch.distributions.LogNormal(0.0, 1.0).expand((2,))))
"""
    assert output(run(script(program))).splitlines() == [
        "<class 'torch.nn.modules.linear.Linear'> <class 'torch.nn.modules.rnn.LSTM'> "
        "<class 'torch.nn.modules.activation.ReLU'> <class 'torch.optim.sgd.SGD'> "
        "<class 'torch.nn.parameter.Parameter'> <class 'torch.distributions.normal.Normal'>",
        "<class 'rustorch.UnsupportedError'>",
        "torch.Size([2]) <class 'torch.distributions.log_normal.LogNormal'>",
    ]


def test_the_distribution_is_known(script) -> None:
    program = """
import importlib.metadata, importlib.util, torch
print(importlib.metadata.version("torch"), torch.__version__, importlib.metadata.requires("torch"))
print(torch.__version__ >= "2.4", torch.__version__ >= (2, 4), importlib.util.find_spec("torch") is not None)
"""
    assert output(run(script(program))) == "2.13.0 2.13.0 ['rustorch']\nTrue True True"


def test_a_program_sees_what_python_shows_it(script, tmp_path: Path) -> None:
    program = """
import sys, os
import beside
print(__name__, __file__, sys.argv, sys.path[0], __package__, __spec__, beside.__name__)
print(sys.modules["__main__"].__dict__ is globals(), "torch" in sys.modules)
"""
    script("", "beside.py")
    path = script(program)
    with_python, with_run = python(path, "-m", "a b", "--help"), run(path, "-m", "a b", "--help")
    assert output(with_run) == output(with_python).replace("True False", "True True")


def test_a_module_of_a_package_runs_with_relative_imports(script, tmp_path: Path) -> None:
    script("", "package/__init__.py")
    script("import torch\nvalue = torch.ones(3).sum().item()\n", "package/part.py")
    program = "import sys\nfrom .part import value\nprint(__name__, __package__, __spec__.name, sys.argv, value)\n"
    for name in ("package/program.py", "package/__main__.py"):
        script(program, name)
    here = str(tmp_path)
    assert (
        output(run("-m", "package.program", "x", cwd=tmp_path))
        == f"__main__ package package.program ['{here}/package/program.py', 'x'] 3.0"
    )
    assert (
        output(run("-m", "package", "x", cwd=tmp_path))
        == f"__main__ package package.__main__ ['{here}/package/__main__.py', 'x'] 3.0"
    )


def test_a_folder_with_main_runs(script, tmp_path: Path) -> None:
    script("import sys, part\nprint(__name__, sys.argv[1:], part.x)\n", "folder/__main__.py")
    script("x = 7\n", "folder/part.py")
    assert output(run(str(tmp_path / "folder"), "y")) == "__main__ ['y'] 7"


@pytest.mark.parametrize(
    ("ending", "status"),
    [("pass", 0), ("sys.exit(3)", 3), ("sys.exit('a reason')", 1), ("raise ValueError(1)", 1), ("os._exit(4)", 4)],
)
def test_exit_statuses_and_error_texts_are_pythons(script, ending: str, status: int) -> None:
    path = script(f"import sys, os\ndef last():\n    {ending}\nlast()\n")
    with_run, with_python = run(path), python(path)
    assert with_run.returncode == with_python.returncode == status
    assert with_run.stderr == with_python.stderr


@pytest.mark.parametrize(
    "text", ["def f(:\n", "import sys\nsys.excepthook = lambda *a: print('mine', a[2].tb_lineno)\n1 / 0\n"]
)
def test_tracebacks_begin_in_the_program(script, text: str) -> None:
    path = script(text)
    with_run, with_python = run(path), python(path)
    assert (with_run.returncode, with_run.stdout, with_run.stderr) == (1, with_python.stdout, with_python.stderr)


def test_an_interrupted_program_ends_by_the_signal(script) -> None:
    path = script("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(20)\n")
    with_run, with_python = run(path), python(path)
    assert (with_run.returncode, with_run.stderr) == (with_python.returncode, with_python.stderr)


def test_what_runs_at_the_end_still_sees_the_program(script) -> None:
    program = """
import atexit, pickle, threading, time
class Thing: pass
def late():
    time.sleep(0.1)
    print(pickle.loads(pickle.dumps(Thing)).__module__)
threading.Thread(target=late).start()
atexit.register(lambda: print(Thing.__name__, pickle.loads(pickle.dumps(Thing)).__module__))
"""
    assert output(run(script(program))) == "__main__\nThing __main__"


def test_processes_that_a_program_starts_have_torch_too(script) -> None:
    program = """
import multiprocessing, subprocess, sys
import torch

def double(x):
    return float(torch.tensor(x) * 2)

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(double, [1.0, 2.0]))
    code = "import torch, importlib.metadata as m; print(torch.int8, torch.__version__, m.version('torch'))"
    print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
"""
    assert output(run(script(program))).strip() == "[2.0, 4.0]\ntorch.int8 2.13.0 2.13.0"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("torch.nothing", "AttributeError: module 'torch' has no attribute 'nothing'"),
        ("torch.nn.functional.nothing", "AttributeError: module 'torch.nn.functional' has no attribute 'nothing'"),
        ("torch.linalg.nothing", "AttributeError: module 'torch.linalg' has no attribute 'nothing'"),
        ("from torch import nothing", "ImportError: cannot import name 'nothing' from 'torch'"),
        ("from torch.nn import nothing", "ImportError: cannot import name 'nothing' from 'torch.nn'"),
        ("import torch.nothing", "ModuleNotFoundError: No module named 'torch.nothing'"),
        ("from torch.nothing.inside import x", "ModuleNotFoundError: No module named 'torch.nothing'"),
        ("from torch.nn.functional import nothing", "ImportError: cannot import name 'nothing'"),
    ],
)
def test_a_missing_name_says_where_such_names_are_listed(script, line: str, error: str) -> None:
    result = run(script(f"import torch\n{line}\n"))
    assert result.returncode == 1
    assert result.stdout == ""
    assert error in result.stderr
    assert result.stderr.count("docs/coming_from_pytorch.md") == 1
    assert result.stderr.count("Error") == 1
    assert result.stderr.count("  File ") == 1


def test_hasattr_and_getattr_with_a_default_work_on_missing_names(script) -> None:
    program = "import torch\nprint(hasattr(torch, 'nothing'), getattr(torch.nn, 'nothing', 3), hasattr(torch, 'nn'))"
    assert output(run(script(program))) == "False 3 True"


def test_as_torch_refuses_beside_the_real_one(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("__version__ = '2.9.0'\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import torch, rustorch; rustorch.as_torch()"
    result = python("-c", code)
    assert result.returncode == 1
    assert "RuntimeError: as_torch(): torch is imported already, from " in result.stderr


def test_run_hides_a_real_one(tmp_path: Path, script) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/__init__.py").write_text("__version__ = '2.9.0'\n")
    assert output(run(script("import torch\nprint(torch.__version__)\n"))) == "2.13.0"


def test_rustorch_alone_keeps_its_names() -> None:
    assert output(python("-c", "import rustorch as t; print(t.float32, t.Size([1]), t.version.__version__)")) == (
        f"rustorch.float32 rustorch.Size([1]) {rustorch.__version__}"
    )


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "usage: rustorch run"),
        (("-m",), 2, "-m needs the name of a module"),
        (("-q", "x.py"), 2, "unknown option -q"),
        (("nowhere.py",), 2, "can't open file 'nowhere.py': [Errno 2] No such file or directory"),
        (("-m", "no_such_module_here"), 1, "No module named no_such_module_here"),
        (("-m", "importlib"), 1, "'importlib' is a package and cannot be directly executed"),
    ],
)
def test_run_refuses_what_it_cannot_run(arguments: tuple[str, ...], status: int, words: str) -> None:
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (status, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an empty environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder / "bin/python"


def inside(environment: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    numpy = str(Path(sys.modules["numpy"].__file__).parents[1]) if "numpy" in sys.modules else ""
    found = os.pathsep.join(filter(None, [str(Path(rustorch.__file__).parents[1]), numpy]))
    return subprocess.run(
        [environment, *arguments], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": found}, check=False
    )


def test_the_installed_alias_is_a_distribution_that_can_be_removed(environment: Path) -> None:
    assert inside(environment, "-c", "import torch").returncode == 1
    assert "no alias to remove" in inside(environment, "-m", "rustorch", "alias", "--remove").stderr
    for _ in range(2):
        output(inside(environment, "-m", "rustorch", "alias", "--install"))
    code = """
import torch, torch.nn.functional as F, rustorch, importlib.metadata as m, hashlib, base64, csv
assert torch is rustorch and torch.nn.functional is F
assert m.version("torch") == torch.__version__ == "2.13.0"
files = m.files("torch")
for file in files:
    content = file.read_binary()
    if file.hash:
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert (file.hash.value, file.size) == (digest, len(content)), file
print(sorted(str(file) for file in files))
"""
    about = (f"torch-2.13.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD", "WHEEL", "top_level.txt"))
    assert output(inside(environment, "-c", code)) == str(sorted(["torch/__init__.py", *about]))
    output(inside(environment, "-m", "rustorch", "alias", "--remove"))
    assert inside(environment, "-c", "import torch").returncode == 1
    packages = next(environment.parents[1].glob("lib/python*/site-packages"))
    assert [path.name for path in packages.iterdir() if "torch" in path.name] == []


def test_the_alias_is_not_installed_beside_the_real_one(environment: Path) -> None:
    packages = next(environment.parents[1].glob("lib/python*/site-packages"))
    info = packages / "torch-2.9.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.9.0\n")
    (info / "INSTALLER").write_text("pip\n")
    for way in ("--install", "--remove"):
        result = inside(environment, "-m", "rustorch", "alias", way)
        assert result.returncode == 1
        assert "torch 2.9.0" in result.stderr
    assert sorted(path.name for path in info.iterdir()) == ["INSTALLER", "METADATA"]
