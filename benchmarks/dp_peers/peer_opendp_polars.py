"""OpenDP's planner on Polars: patients by code, L0 and L-infinity bounded, public keys."""

import sys

import opendp.prelude as dp  # noqa: TID253 - it is what is measured
import polars as pl
from timing import report

path, codes, l0, rho = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
dp.enable_features("contrib")
KEYS = pl.LazyFrame({"code": [f"c{number:04d}" for number in range(codes)]})


def run():
    """Release the counts once."""
    context = dp.Context.compositor(
        data=pl.scan_parquet(f"{path}/*.parquet"),
        privacy_unit=dp.unit_of(contributions=1, identifier=pl.col("patient")),
        privacy_loss=dp.loss_of(rho=rho),
        split_evenly_over=1,
    )
    query = (
        context.query()
        .truncate_per_group(1, by=["code"])
        .truncate_num_groups(l0, by=["code"], keep="first")
        .group_by("code")
        .agg(dp.len())
        .with_keys(KEYS, on=["code"])
    )
    return query.release().collect()


report(run)
