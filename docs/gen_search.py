"""Chinese words in the search index: a mark without width between them, as the search of the pages expects."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import rjieba
from mkdocs.plugins import event_priority

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
MARK = "\u200b"


@event_priority(-100)  # after the index was written
def on_post_build(config: MkDocsConfig) -> None:
    """Segment titles and texts of the index."""
    path = Path(config.site_dir, "search", "search_index.json")
    index = json.loads(path.read_text(encoding="utf-8"))
    for page in index["docs"]:
        page["title"], page["text"] = segmented(page["title"]), segmented(page["text"])
    path.write_text(json.dumps(index, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def segmented(text: str) -> str:
    """The text with marks between its Chinese words."""
    return HAN.sub(lambda found: MARK.join(rjieba.cut(found[0])), text)
