"""What somebody else gave a name: clouds, stores and services outside."""

from typing import Annotated, TypeAlias

from traversion.values.checking import matching

OneWord: TypeAlias = Annotated[
    str,
    matching(
        r"[A-Za-z0-9][A-Za-z0-9._:/@-]*",
        "one word",
        "use letters, digits and any of . _ : / @ - without spaces",
    ),
]
"""An identifier that somebody else gave: a region, a project, a client."""

AzureId: TypeAlias = Annotated[
    str,
    matching(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "an identifier of Azure",
        'write the lower-case UUID, e.g. "0f8fad5b-d9cb-469f-a165-70867728950e"',
    ),
]
"""A UUID."""

SlackChannel: TypeAlias = Annotated[
    str,
    matching(r"#[a-z0-9_-]{1,80}", "a Slack channel", 'write its name with the #, e.g. "#traversion-alerts"'),
]
"""The name of a Slack channel."""

BucketName: TypeAlias = Annotated[
    str,
    matching(
        r"(?!.*\.\.)(?!(\d+\.){3}\d+$)[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]",
        "a bucket name",
        'write 3 to 63 lower-case letters, digits, ".", "_" and "-" without a scheme or path, no "..", '
        'no address, e.g. "company-traversion-backups"',
    ),
]
"""The name of a bucket of S3 or Google Cloud Storage."""

AzureContainer: TypeAlias = Annotated[
    str,
    matching(
        r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*",
        "a container of Azure",
        'write 3 to 63 lower-case letters, digits and single "-", e.g. "traversion-backups"',
    ),
]
"""The name of a container of Azure Blob Storage."""

CloudRegion: TypeAlias = Annotated[
    str, matching(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "a region", 'write its name, e.g. "eu-central-1"')
]
"""A region of S3, as its API names it."""

StorageAccount: TypeAlias = Annotated[
    str,
    matching(
        r"[a-z0-9]{3,24}",
        "a storage account",
        'write 3 to 24 lower-case letters and digits, e.g. "companybackups"',
    ),
]
"""The name of an Azure storage account."""

StoragePath: TypeAlias = Annotated[
    str,
    matching(
        r"(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+",
        "a path",
        'write it from the root on, e.g. "/traversion/production"',
    ),
]
"""A path inside a bucket."""

RoleArn: TypeAlias = Annotated[
    str,
    matching(
        r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+",
        "an IAM role",
        'write its ARN, e.g. "arn:aws:iam::123456789012:role/traversion-backup"',
    ),
]
"""The ARN of a role of AWS."""

KeyPrefix: TypeAlias = Annotated[
    str, matching(r"[A-Za-z0-9/_.-]*", "a key prefix", 'write a path, e.g. "traversion/production/"')
]
"""What keys in a secret store begin with."""
