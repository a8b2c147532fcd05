"""What is compiled is what the images contain."""

import re
from pathlib import Path

import pytest

from tests.variants import OIDC
from traversion.settings import AlertmanagerSettings, Image, PrometheusSettings

GO = Path(__file__).parent / "go"


@pytest.mark.parametrize(
    ("name", "path", "image"),
    [
        ("prometheus", "github.com/prometheus/prometheus", PrometheusSettings().image),
        ("alertmanager", "github.com/prometheus/alertmanager", AlertmanagerSettings().image),
        ("oauth2-proxy", "github.com/oauth2-proxy/oauth2-proxy/v7", OIDC.image),
    ],
)
def test_a_program_has_the_version_of_its_image(name: str, path: str, image: Image) -> None:
    pinned = re.search(
        rf"^(?:\t|require ){path} (v\S+)", (GO / name / "go.mod").read_text("utf-8"), re.MULTILINE
    )
    assert pinned
    # As a module, Prometheus 3.13.4 is v0.313.4.
    release = re.sub(r"^v0\.(\d)0?(\d+)\.", r"v\1.\2.", pinned[1]) if name == "prometheus" else pinned[1]
    assert release == image.tag
