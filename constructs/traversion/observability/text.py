"""Configuration as YAML text that people can read in ``dist/``."""

import yaml


class _Dumper(yaml.CSafeDumper):
    """Writes texts of several lines as blocks, and nothing as an alias."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 # overrides the library's
        return True


def _text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(document: object) -> str:
    """Write a document, keys in the given order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, default_flow_style=False)
