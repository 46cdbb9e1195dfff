"""Names of the kinds of jobs of datasets_app."""

PLAN = "datasets.plan"
PREVIEW = "datasets.preview"
EXPORT = "datasets.export"
PUBLISH = "datasets.publish"
STATISTICS = "datasets.statistics"
INDEX = "datasets.index"

CANCELLED = "JobCancelledError"
"""What the viewer calls the failure of a config whose export somebody cancelled."""
