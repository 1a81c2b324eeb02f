"""Words and vectors: texts a second.

Peers. Of `words`: the same steps, one text after the other. Of the default encoder on 200,000 short texts: the full
sentence encoder on the first 300 of them, times 667 (each text costs it the same). Of a sentence encoder from a folder
(`python benchmarks/bench_text.py FOLDER`): sentence-transformers where it is installed. Answers are compared before the
clock counts.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bench_match import random_tables

from silian import text
from silian.text.cache import VectorCache, cache_folder

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


def bench_many() -> None:
    """200,000 short texts by the default encoder: nothing kept, everything kept, and 1 % of the texts new."""
    texts, new = (random_tables(1, rows, vocabulary=20_000, words=1, seed=seed)[1]["title"].to_list()
                  for rows, seed in ((200_000, 9), (2_000, 10)))  # fmt: skip
    sample = texts[:300]
    whole = text.encoder("sentence").fit(sample[:10])
    cpu = time.process_time()
    each = seconds(lambda: whole.encode([t + "。" for t in sample])) / len(sample)
    sentence = {"sentence_seconds": each * len(texts),
                "sentence_cpu_seconds": (time.process_time() - cpu) / len(sample) * len(texts)}  # fmt: skip
    for case, given in (("first", texts), ("again", texts), ("1 % new", [*texts[2_000:], *new])):
        before, cpu = peak(), time.process_time()
        began = time.perf_counter()
        bags = text.segment(given)
        fitted = text.encoder().fit(bags)
        vectors = fitted.encode(bags)
        took = time.perf_counter() - began
        assert np.allclose(vectors[:50], fitted.encode(given[:50]), atol=1e-5)
        line(f"encode 200000 texts {case}", seconds=took, cpu_seconds=time.process_time() - cpu,
             words=len(bags.vocabulary), mib_more=peak() - before, **sentence)  # fmt: skip


def bench_cache() -> None:
    """200,000 vectors of 384 numbers kept, and read again."""
    made = np.random.default_rng(7).standard_normal((200_000, 384)).astype(np.float32)
    texts = [f"text {i}" for i in range(len(made))]
    place = {t: i for i, t in enumerate(texts)}
    for case in ("kept", "read"):
        cpu = time.process_time()
        began = time.perf_counter()
        found = VectorCache("bench", 384).vectors(texts, lambda new: made[[place[t] for t in new]])
        took = time.perf_counter() - began
        assert np.array_equal(found, made)
        size = sum(p.stat().st_size for p in cache_folder().iterdir()) / 2**20
        line(f"200000 vectors {case}", seconds=took, cpu_seconds=time.process_time() - cpu, mib_on_disk=size)


def bench_folder(path: Path) -> None:
    """A sentence encoder from a folder: 2,000 titles and 100 abstracts of 1,200 characters."""
    told = "matching experts to work needs vectors of titles and abstracts that say what people know about steel"
    drawn = np.random.default_rng(7).choice(told.split(), (2_100, 190))
    for case, texts in (
        ("titles", [" ".join(r[:11]) for r in drawn[100:]]),
        ("abstracts", [" ".join(r) for r in drawn[:100]]),
    ):
        reader = text.encoder(f"folder:{path}").fit(texts[:2])
        cpu = time.process_time()
        took = seconds(lambda reader=reader, texts=texts: reader.encode(texts))
        values = {"seconds_a_thousand": took * 1_000 / len(texts),
                  "cpu_seconds_a_thousand": (time.process_time() - cpu) * 1_000 / len(texts)}  # fmt: skip
        if find_spec("sentence_transformers"):
            from sentence_transformers import SentenceTransformer

            peer = SentenceTransformer(str(path), device="cpu", local_files_only=True)
            values["peer_seconds_a_thousand"] = (
                seconds(lambda peer=peer, texts=texts: peer.encode(texts)) * 1_000 / len(texts)
            )
        line(f"folder {case} by {reader.reader}", characters=float(np.mean([len(t) for t in texts])), **values)


def peak() -> float:
    """Of this process so far, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Words, then encoders with an empty cache of their own; of a folder that is named, the folder alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SILIAN_CACHE"] = folder
        if sys.argv[1:]:
            bench_folder(Path(sys.argv[1]))
            return
        bench_words()
        bench_encoders()
        bench_many()
        bench_cache()


if __name__ == "__main__":
    main()
