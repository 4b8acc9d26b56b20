import pytest

from support.bases import tiny_base


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Threads of so small a model only wait for each other, the more so with other tests beside this one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """A random encoder. Read it, never change it."""
    return tiny_base(tmp_path_factory.mktemp("bases") / "bert")
