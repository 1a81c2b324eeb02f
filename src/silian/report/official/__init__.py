"""The monthly report in the official layout: `document` for Word, `workbook` for Excel, both from an `Edition`."""

from silian.report.official._book import workbook
from silian.report.official._edition import Edition, Gap
from silian.report.official._word import document

__all__ = ["Edition", "Gap", "document", "workbook"]
