"""What a run is told: typed parameters, their one defaults file, overrides, hashes, explicit commands."""

from probatum.parameters.audit import Finding, audit
from probatum.parameters.command import explicit_command, from_argv, split_options, to_argv
from probatum.parameters.defaults import load_defaults
from probatum.parameters.digest import config_md5, defaults_md5, normalized_config_hash
from probatum.parameters.model import (
    INSTRUMENTATION_CATEGORY,
    RUNTIME_CATEGORY,
    FieldSpec,
    Parameters,
    categories,
    field_specs,
    flat,
    parameter,
)
from probatum.parameters.overrides import Override, Resolution, resolve
from probatum.parameters.table import ParameterRow, parameter_table, table_csv, table_json, table_markdown
from probatum.parameters.tracking import ReadLog

__all__ = [
    "INSTRUMENTATION_CATEGORY",
    "RUNTIME_CATEGORY",
    "FieldSpec",
    "Finding",
    "Override",
    "ParameterRow",
    "Parameters",
    "ReadLog",
    "Resolution",
    "audit",
    "categories",
    "config_md5",
    "defaults_md5",
    "explicit_command",
    "field_specs",
    "flat",
    "from_argv",
    "load_defaults",
    "normalized_config_hash",
    "parameter",
    "parameter_table",
    "resolve",
    "split_options",
    "table_csv",
    "table_json",
    "table_markdown",
    "to_argv",
]
