"""Experts by their works: does a score put the texts that concern an expert before those that do not?

Public and long enough are the descriptions of Debian's packages, and its Blends: lists of packages that people of one
field chose for each other (Debian Med, Science, GIS, Astro, Multimedia, DebiChem). A list stands for an expert, ten
packages drawn from it are the works. Asked are up to five other packages of the list (level 3), five of other lists of
the same Blend (1.5) and five of other Blends (1). Figure: `loss`, the share of one expert's pairs of texts that the
scores put in the wrong order, weighted by the difference of the levels; `hard`, the same where both are of one Blend.
Six draws; nothing is learnt from them, but shares were chosen with these figures in view (decisions/0002).

    apt-get update -o Acquire::Languages=en -o Dir::State::lists=$PWD/lists     # an empty folder lists/partial beside
    python benchmarks/bench_experts.py lists [folder of a sentence encoder]

Peers: TF-IDF and LSA of scikit-learn on title and text as one, mean of the best three works.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl

from silian.engines import match

BLENDS = ("med", "science", "debichem", "gis", "astro", "hamradio", "multimedia")
DRAWS, WORKS, ASKED = 6, 10, 5
LEVELS = {"own": 3.0, "near": 1.5, "far": 1.0}


def line(case: str, **values: float) -> None:
    """One measurement."""
    print(
        json.dumps({"bench": "experts", "case": case, "values": {k: round(v, 4) for k, v in values.items()}}),
        flush=True,
    )


def stanzas(folder: Path, pattern: str) -> list[dict[str, str]]:
    """The paragraphs of apt's lists as fields."""
    found = []
    for file in sorted(folder.glob(pattern)):
        whole = subprocess.run(
            ["/usr/lib/apt/apt-helper", "cat-file", file], check=True, capture_output=True, text=True
        )
        for paragraph in whole.stdout.split("\n\n"):
            parts = re.split(r"^([A-Za-z0-9-]+): ?", paragraph, flags=re.M)
            found.append(dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True)))
    return found


def read_blends(folder: Path) -> tuple[pl.DataFrame, dict[str, list[str]], dict[str, str]]:
    """Descriptions (package, title, text), the packages of each list, the source of each package."""
    described = {}
    for p in stanzas(folder, "*Translation-en*"):
        title, _, text = p.get("Description-en", "").partition("\n")
        described[p.get("Package", "")] = (title, " ".join(text.replace("\n .\n", "\n").split())[:1500])
    lists, source = {}, {}
    for p in stanzas(folder, "*Packages*"):
        name = p.get("Package", "")
        source[name] = (p.get("Source") or name).partition(" ")[0]
        if name.partition("-")[0] not in BLENDS or name.endswith(("-dev", "-tasks", "-all", "-cloud")):
            continue
        chosen = re.sub(r"\([^)]*\)", "", ",".join(p.get(f, "") for f in ("Recommends", "Depends", "Suggests")))
        named = dict.fromkeys(re.findall(r"[a-z0-9][a-z0-9+.\-]+", chosen))
        told = [
            n for n in named if len(described.get(n, ("", ""))[1]) > 250 and not n.endswith(("-dev", "-doc", "-data"))
        ]
        if len(told) >= WORKS + 2:
            lists[name] = told
    names = sorted({n for told in lists.values() for n in told})
    table = pl.DataFrame([(n, *described[n]) for n in names], schema=["package", "title", "text"], orient="row")
    return table, dict(sorted(lists.items())), source


def draw(lists: dict[str, list[str]], source: dict[str, str], seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Works (expert_id, package) and questions (expert_id, package, level) of one draw."""
    rng = np.random.default_rng(seed)
    blends: dict[str, set[str]] = {}
    for expert, told in lists.items():
        for name in told:
            blends.setdefault(name, set()).add(expert.partition("-")[0])
    works, asked = [], []
    for expert, told in lists.items():
        mixed = rng.permutation(told).tolist()
        own, rest = mixed[:WORKS], mixed[WORKS:]
        known = {source.get(n, n) for n in own}
        others = [n for n in rng.permutation(sorted(blends)).tolist() if n not in told]
        blend = expert.partition("-")[0]
        kinds = {"own": [n for n in rest if source.get(n, n) not in known],
                 "near": [n for n in others if blend in blends[n]],
                 "far": [n for n in others if blend not in blends[n]]}  # fmt: skip
        if len(kinds["own"]) >= 2:
            works += [(expert, n) for n in own]
            asked += [(expert, n, LEVELS[kind]) for kind, names in kinds.items() for n in names[:ASKED]]
    return (pl.DataFrame(works, schema=["expert_id", "package"], orient="row"),
            pl.DataFrame(asked, schema=["expert_id", "package", "level"], orient="row"))  # fmt: skip


def losses(asked: pl.DataFrame, score: np.ndarray) -> np.ndarray:
    """Weights in the wrong order and in all, for all pairs and for the hard ones."""
    found = np.zeros((2, 2))
    for part in asked.with_columns(score=score).partition_by("expert_id"):
        level, given = part["level"].to_numpy(), part["score"].to_numpy()
        higher = np.subtract.outer(level, level)
        wrong = (np.subtract.outer(given, given) < 0) + 0.5 * (np.subtract.outer(given, given) == 0)
        for i, counts in enumerate((higher > 0, (higher > 0) & (level[None, :] == LEVELS["near"]))):
            found[i] += (higher * counts * wrong).sum(), (higher * counts).sum()
    return found


def ours(
    works: pl.DataFrame, asked: pl.DataFrame, described: pl.DataFrame, encoder: str, share: float | None
) -> np.ndarray:
    """Scores of the questions for their experts, as an index of experts gives them."""
    told = works.join(described, on="package", how="left", maintain_order="left").rename({"package": "work_id"})
    needs = described.join(asked.select("package").unique(), on="package", how="semi").rename({"package": "need_id"})
    pairs = asked.select(need_id="package", target_id="expert_id")
    return match.score(pairs, needs, match.build_experts(told, encoder=encoder, meaning=share))["score"].to_numpy()


def peer(works: pl.DataFrame, asked: pl.DataFrame, described: pl.DataFrame, axes: int) -> np.ndarray:
    """The same with scikit-learn: TF-IDF of words, or LSA of it where axes > 0."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    texts = {p: f"{a}. {b}" for p, a, b in described.rows()}
    cut = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit([texts[p] for p in works["package"]])
    rows = cut.transform(list(texts.values()))
    if axes:
        turned = TruncatedSVD(axes, random_state=7).fit(cut.transform([texts[p] for p in works["package"]]))
        rows = normalize(turned.transform(rows))
    place = {p: i for i, p in enumerate(texts)}
    held = {e: [place[p] for p in part["package"]] for (e,), part in works.group_by("expert_id")}
    near = [np.asarray((rows[held[e]] @ rows[[place[p]]].T).todense() if axes == 0 else rows[held[e]] @ rows[place[p]])
            for e, p in asked.select("expert_id", "package").rows()]  # fmt: skip
    return np.asarray([np.sort(n.ravel())[-3:].mean() for n in near])


def main() -> None:
    """Peers, then each encoder at the share it states, and at others."""
    if len(sys.argv) < 2 or not list(Path(sys.argv[1]).glob("*Translation-en*")):
        print("bench_experts: give the folder of apt's lists with English descriptions, see the head of this file")
        return
    described, lists, source = read_blends(Path(sys.argv[1]))
    draws = [draw(lists, source, seed) for seed in range(DRAWS)]
    ways = {"peer scikit-learn TF-IDF": lambda *a: peer(*a, 0), "peer scikit-learn LSA 150": lambda *a: peer(*a, 150)}
    for encoder in ("words", "corpus", "static", *(f"folder:{folder}" for folder in sys.argv[2:])):
        for share in (None, 0.3, 0.5, 0.7, 1.0) if encoder != "words" else (None,):
            label = f"{encoder.partition(':')[0]} {'as stated' if share is None else share}"
            ways[label] = lambda *a, e=encoder, s=share: ours(*a, e, s)
    for label, way in ways.items():
        total = sum(losses(asked, way(works, asked, described)) for works, asked in draws)
        line(label, loss=total[0, 0] / total[0, 1], hard=total[1, 0] / total[1, 1], lists=len(lists), draws=DRAWS)


if __name__ == "__main__":
    main()
