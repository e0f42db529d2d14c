"""Options and fixtures of all tests."""

import os

import pytest

UNDER_PYTORCH = os.environ.get("RUSTORCH_TEST_MODULE") == "torch"
if UNDER_PYTORCH:
    from tests import pytorch_alias

    pytorch_alias.install()

import rustorch  # noqa: E402

# PyTorch has no derivative here, or no second one; RusTorch has.
PYTORCH_LACKS = (
    "test_second_gradients[nn.functional.hardsigmoid",
    "test_second_gradients[nn.functional.multi_margin_loss",
    "test_second_gradients[nn.functional.multilabel_margin_loss",
    "test_second_gradients[nn.functional.embedding_bag",
    "test_second_gradients[cdist",
    "test_second_gradients[pdist",
    "test_gradients[floor_divide",
    "test_second_gradients[floor_divide",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="the device on which the tests run (default: cpu)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rustorch_only: asks for something that PyTorch does otherwise or lacks")
    config.addinivalue_line("markers", "cpu_only: about the CPU or its memory; left out with another --device")
    if config.getoption("--device") != "cpu":
        # What a device lacks is counted; test_devices.py shows that it warns.
        config.addinivalue_line("filterwarnings", "ignore:.* runs on the CPU, with copies to and from:UserWarning")
        # Tests that name no device run there, too; before they are collected, for tensors that modules hold.
        rustorch.set_default_device(config.getoption("--device"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--device") != "cpu":
        for item in items:
            if item.get_closest_marker("cpu_only"):
                item.add_marker(pytest.mark.skip(reason="about the CPU"))
    if UNDER_PYTORCH:
        for item in items:
            if item.get_closest_marker("rustorch_only") or item.name.startswith(PYTORCH_LACKS):
                item.add_marker(pytest.mark.skip(reason="not a claim about PyTorch"))


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> str:
    """The device that --device names."""
    return request.config.getoption("--device")


@pytest.fixture
def there(device: str) -> rustorch.device:
    """The device of --device, which must not be the CPU."""
    if rustorch.device(device).type == "cpu":
        pytest.skip("needs --device with another device than the CPU")
    return rustorch.zeros(1, device=device).device


@pytest.fixture(autouse=True)
def _seed() -> None:
    rustorch.manual_seed(0)
