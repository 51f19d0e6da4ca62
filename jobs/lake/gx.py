"""Great Expectations over a feed's counts: what is reported, and the Data Docs. It never sees a person's row.

The predicates of :mod:`jobs.rules.checks` are evaluated by Spark in the pass that splits the rows, and counted in what
it wrote; the batch that Great Expectations validates is one row of these counts, so neither a result nor a page can
hold a value of a person.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from pathlib import Path
from typing import Any

from jobs.rules.checks import Check
from schemas.contract import Contract

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


PREFIX = "refused_"  # of the name under which the counts hold how many rows fail a check


def context(folder: Path) -> Any:
    """An ephemeral context built from code, with a Data Docs site in a folder."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    made = gx.get_context(mode="ephemeral")
    made.variables.progress_bars = ProgressBarsConfig(globally=False)
    made.add_data_docs_site(
        site_name="night",
        site_config={
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str((folder / "data_docs").resolve()),  # GX refuses a relative one,
            },
        },
    )
    return made


def suite(contract: Contract, checks: tuple[Check, ...]) -> list[Any]:
    """The expectations of a feed: no row refused by a check, and the rows within the contract's bounds."""
    from great_expectations import expectations as gxe

    low, high = contract.volume
    found: list[Any] = [
        gxe.ExpectColumnMaxToBeBetween(
            column=f"{PREFIX}{c.name}",
            max_value=0,
            severity=c.severity,
            meta={"reason": c.reason, "column": c.column},
        )
        for c in checks
    ]
    found.append(
        gxe.ExpectColumnMaxToBeBetween(
            column="rows",
            min_value=low,
            max_value=high,
            severity=contract.volume_severity,
            meta={"reason": "volume", "notes": contract.volume_reason},
        )
    )
    return found


def report(
    made: Any, night: str, contract: Contract, checks: tuple[Check, ...], counts: dict[str, int], folder: Path
) -> dict[str, Any]:
    """Validates a feed's counts (one row), writes the result as JSON and returns what failed by severity."""
    import great_expectations as gx
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = made.data_sources.add_pandas(contract.feed)
        batch = source.add_dataframe_asset(name="counts").add_batch_definition_whole_dataframe(night)
        expectations = made.suites.add(
            gx.ExpectationSuite(name=contract.feed, expectations=suite(contract, checks))
        )
        definition = made.validation_definitions.add(
            gx.ValidationDefinition(name=contract.feed, data=batch, suite=expectations)
        )
        checkpoint = gx.Checkpoint(
            name=contract.feed, validation_definitions=[definition], result_format={"result_format": "BASIC"}
        )
        result = made.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": pd.DataFrame([counts])})
    lines = []
    for run in result.run_results.values():
        for one in run.results:
            config = one.expectation_config
            lines.append(
                {
                    "check": str(config.kwargs["column"]).removeprefix(PREFIX),
                    "reason": (config.meta or {}).get("reason"),
                    "severity": str(getattr(config.severity, "value", config.severity)),
                    "success": bool(one.success),
                    "count": int(one.result["observed_value"]),
                }
            )
    failed = {
        s: [r["check"] for r in lines if not r["success"] and r["severity"] == s]
        for s in ("critical", "warning")
    }
    said = {"night": night, "feed": contract.feed, "failed": failed, "results": lines}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{contract.feed}.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
    return said
