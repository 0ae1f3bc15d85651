"""The version that the command line shows is the package's own."""

import pytest

from playground import __version__
from playground.cli import main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == f"playground {__version__}"
