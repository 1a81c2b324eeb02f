"""Words and vectors: texts a second.

Peer of `words`: the same steps, one text after the other. The answers are compared before the clock counts.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from typing import TYPE_CHECKING

import numpy as np

from silian import text

if TYPE_CHECKING:
    from collections.abc import Callable

CORES = os.cpu_count()
PIECES = [
    *("高韧性立方氮化硼单晶", "锂离子电池隔膜", "轴承钢热处理工艺", "300kW永磁电机", "废水脱氮除磷", "机器人减速器"),
    *(
        "密度≥1.80g/cm3",
        "小麦新品种选育",
        "６０６１－Ｔ６铝合金",
        "deep learning methods",
        "5G基站天線",
        "的研制与应用",
    ),
    *("本公司需要解决", "传感器信号漂移", "光伏组件热斑检测", "中药材提取纯化"),
]


def line(case: str, **values: object) -> None:
    """One measurement."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(
        json.dumps({"bench": "text", "case": case, "values": rounded, "cores": CORES}, ensure_ascii=False), flush=True
    )


def seconds(call: Callable[[], object]) -> float:
    """Of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def random_texts(number: int, pieces: int, seed: int) -> list[str]:
    """Texts of pieces drawn at random, with punctuation."""
    drawn = np.random.default_rng(seed).choice(len(PIECES), (number, pieces))
    return ["，".join(PIECES[i] for i in row) for row in drawn]


def bench_words() -> None:
    """100,000 texts of about 80 characters: normalised, cut, counted."""
    texts = random_texts(100_000, 9, seed=7)
    assert text.words(texts[:500]) == [text.words([t])[0] for t in texts[:500]]
    sample = texts[:5_000]
    one_by_one = seconds(lambda: [text.words([t]) for t in sample]) * len(texts) / len(sample)
    line("100000 texts", characters=float(np.mean([len(t) for t in texts])),
         normalise_seconds=seconds(lambda: text.normalise_all(texts)), words_seconds=seconds(lambda: text.words(texts)),
         segment_seconds=seconds(lambda: text.segment(texts)), one_by_one_seconds=one_by_one)  # fmt: skip


def bench_encoders() -> None:
    """Each encoder on 2,000 short texts; nothing kept from before."""
    texts = random_texts(2_000, 3, seed=8)
    for name in ("corpus", "static", "sentence"):
        began = time.perf_counter()
        fitted = text.encoder(name).fit(texts)
        learnt = time.perf_counter() - began
        first = seconds(lambda fitted=fitted: fitted.encode(texts))
        again = seconds(lambda fitted=fitted: fitted.encode(texts))
        line(f"encode 2000 texts {name}", fit_seconds=learnt, first_seconds=first, again_seconds=again,
             vocabulary=len(text.segment(texts).vocabulary))  # fmt: skip


def main() -> None:
    """Words, then encoders with an empty cache of their own."""
    bench_words()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SILIAN_CACHE"] = folder
        bench_encoders()


if __name__ == "__main__":
    main()
