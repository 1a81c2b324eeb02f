"""What a region's data is: the schema of its nouns, reading, checking, the template and the synthetic region."""

from silian.tables.centres import district_centres
from silian.tables.check import check, check_table
from silian.tables.drop import drop_problem_rows
from silian.tables.read import read_cells, read_region, read_table
from silian.tables.region import Region, Source
from silian.tables.template import write_template
from silian.tables.write import to_csv, write_region

__all__ = [
    "Region",
    "Source",
    "check",
    "check_table",
    "district_centres",
    "drop_problem_rows",
    "read_cells",
    "read_region",
    "read_table",
    "to_csv",
    "write_region",
    "write_template",
]
