"""Sentence encoders from a local folder: tokens, forward pass, files, errors."""

import json
import math
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import LAYERS, WIDTH, WORDS, weights, write_model, write_safetensors

from silian import text
from silian.errors import TextError
from silian.text.encoders import Folder, folder
from silian.text.encoders.tokens import Unigram, WordPiece, read_tokens
from silian.text.encoders.transformer import Transformer, read_weights

CORPUS = ["battery bearing", "轴承钢", "steel bearings.", "battery", "", None]
PIECES = WordPiece({w: i for i, w in enumerate(WORDS)}, lower=True, plain=True, by_character=True,
                   first=2, last=3, unknown=1)  # fmt: skip


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SILIAN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def model(tmp_path):
    return write_model(tmp_path / "model")


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "cut"),
    [
        ("Bearings.", ["bear", "##ing", "##s", "."]),
        ("轴承钢", ["轴", "承", "钢"]),
        ("Café steel", ["cafe", "steel"]),
        ("steelx battery", ["[UNK]", "battery"]),
        ("🔋\ud800", ["[UNK]"]),
        ("x" * 101, ["[UNK]"]),
        ("", []),
    ],
)
def test_word_piece_cuts_as_bert_does(given, cut):
    ids = PIECES.cut([given], 20)[0]

    assert [WORDS[i] for i in ids] == ["[CLS]", *cut, "[SEP]"]


def test_word_piece_reads_no_more_than_the_limit():
    assert PIECES.cut(["battery " * 50_000], 6) == [[2, 4, 4, 4, 4, 3]]


def slow_cut(word, chance, unknown):
    """The likeliest cut by trying all; unknown characters in a row count each."""
    if not word:
        return 0.0, []
    best = (-math.inf, [])
    for end in range(1, len(word) + 1):
        piece = word[:end]
        if piece in chance or end == 1:
            gain, rest = slow_cut(word[end:], chance, unknown)
            best = max(best, (gain + chance.get(piece, unknown), [piece if piece in chance else "<unk>", *rest]))
    return best


@given(st.text(alphabet="abc", min_size=1, max_size=8))
def test_unigram_finds_the_likeliest_cut(word):
    listed = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("▁", -2.0), ("a", -3.0), ("b", -3.1), ("ab", -4.0),
              ("▁a", -3.5), ("bab", -5.2)]  # fmt: skip
    place = {p: i for i, (p, _) in enumerate(listed)}
    cutter = Unigram(place, [c for _, c in listed], -5.2 - 10, 3, first=1, last=2, unknown=0)
    chance = dict(listed[3:])

    ids = cutter.cut([word], 50)[0][1:-1]

    gain, _ = slow_cut("▁" + word, chance, -5.2 - 10)
    spelled = [listed[i][0] for i in ids]
    unknown = sum(c == "c" for c in word)
    assert sum(chance.get(p, 0.0) for p in spelled) + unknown * (-5.2 - 10) == pytest.approx(gain)


def test_read_tokens_knows_the_three_ways(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    assert read_tokens(tmp_path) == PIECES

    pieces = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁steel", -1.5]]
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "Unigram", "unk_id": 3, "vocab": pieces}}))
    assert read_tokens(tmp_path).cut(["Ｓｔｅｅｌ".lower() + " §"], 9) == [[0, 4, 3, 2]]

    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "BPE"}}))
    assert read_tokens(tmp_path) == "cuts words by BPE after None"


# ── forward pass ────────────────────────────────────────────────────────────────────────────────────────────


def slow_vector(tokens, seed=7):
    """The same pass in float64, token by token, as the paper writes it."""
    w = {k: v.astype(float) for k, v in weights(seed).items()}

    def norm(x, name):
        return (x - x.mean()) / math.sqrt(x.var() + 1e-12) * w[name + ".weight"] + w[name + ".bias"]

    def dense(x, name):
        return w[name + ".weight"] @ x + w[name + ".bias"]

    def gelu(x):
        return np.asarray([v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x])

    e = "embeddings."
    first = w[e + "position_embeddings.weight"] + w[e + "token_type_embeddings.weight"][0]
    rows = [norm(w[e + "word_embeddings.weight"][t] + first[i], e + "LayerNorm") for i, t in enumerate(tokens)]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        three = [f"{at}attention.self.{name}" for name in ("query", "key", "value")]
        q, k, v = ([dense(r, name).reshape(2, -1) for r in rows] for name in three)
        seen = []
        for i in range(len(rows)):
            heads = []
            for h in range(2):
                near = np.exp([q[i][h] @ other[h] / math.sqrt(WIDTH / 2) for other in k])
                heads.append(sum(a * other[h] for a, other in zip(near / near.sum(), v, strict=True)))
            seen.append(np.concatenate(heads))
        rows = [norm(r + dense(s, at + "attention.output.dense"), at + "attention.output.LayerNorm")
                for r, s in zip(rows, seen, strict=True)]  # fmt: skip
        rows = [norm(r + dense(gelu(dense(r, at + "intermediate.dense")), at + "output.dense"), at + "output.LayerNorm")
                for r in rows]  # fmt: skip
    return np.asarray(rows)


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_folder_gives_what_the_paper_says(tmp_path, pooling):
    path = write_model(tmp_path / "model", pooling=pooling)
    texts = ["battery bearing", "轴承钢 steel.", "battery"]

    made = folder._reader(path).read(texts)

    for vector, tokens in zip(made, PIECES.cut(texts, 10), strict=True):
        rows = slow_vector(tokens)
        sure = rows.mean(axis=0) if pooling == "mean_tokens" else rows[0]
        assert vector == pytest.approx(sure / np.linalg.norm(sure), abs=1e-5)


def test_folder_does_not_depend_on_what_is_read_together(model, monkeypatch):
    texts = ["battery", "steel bearing", "轴承", "bearing bearing", "钢", "battery."] * 3
    together = folder._reader(model).read(texts)

    for tokens in (1, 5, 100):
        monkeypatch.setitem(Transformer.encode.__globals__, "PACK_TOKENS", tokens)
        assert folder._reader(model).read(texts) == pytest.approx(together, abs=1e-6)
    assert np.concatenate([folder._reader(model).read([t]) for t in texts]) == pytest.approx(together, abs=1e-6)


def test_folder_is_an_encoder_that_reads_title_and_text_as_one(model):
    fitted = text.encoder(f"folder:{model}").fit(CORPUS)
    title, body = text.segment(["battery", "steel", ""]), text.segment(["bearing", "", ""])

    made = text.encode_fields(fitted, title, body)

    assert isinstance(fitted, text.Encoder)
    assert (fitted.reader, fitted.name) == ("numpy", f"folder:{model}")
    assert made[:2] == pytest.approx(fitted.encode(["battery bearing", "steel"]), abs=1e-6)
    assert not made[2].any()
    assert np.linalg.norm(fitted.encode(CORPUS)[:4], axis=1) == pytest.approx(1, abs=1e-5)


def test_folder_reads_long_and_strange_texts(model):
    fitted = text.encoder(f"folder:{model}").fit(CORPUS)

    made = fitted.encode(["battery " * 25_000, "battery " * 8, "🔋🔋", "\ud800", "12345 !!", "x"])

    assert made[0] == pytest.approx(made[1], abs=1e-6)  # what is beyond the model's length is not read
    assert np.isfinite(made).all()
    assert not made[3].any()  # half a sign is no text


def test_folder_is_the_same_in_two_processes_at_once(model, tmp_path):
    code = (
        "import sys\nfrom silian import text\n"
        "e = text.encoder('folder:' + sys.argv[1]).fit(['battery bearing', 'steel', '轴承'])\n"
        "print(e.digest, e.encode(['battery steel', '轴承钢']).tobytes().hex())\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(model)], stdout=subprocess.PIPE) for _ in range(2)]

    (first, _), (second, _) = (p.communicate() for p in both)

    assert [p.returncode for p in both] == [0, 0]
    assert first == second


def test_folder_digest_tells_models_apart(tmp_path):
    one, other = (Folder(write_model(tmp_path / str(seed), seed=seed)).fit(CORPUS) for seed in (1, 2))

    assert one.digest != other.digest
    assert one.digest == Folder(tmp_path / "1").fit(CORPUS).digest
    assert one.encode(["steel"]) != pytest.approx(other.encode(["steel"]), abs=1e-3)


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_read_weights_reads_half_numbers(tmp_path):
    whole = np.asarray([[1.5, -2.0, 0.25]], np.float32)
    upper = (whole.view(np.uint32) >> 16).astype(np.uint16)
    write_safetensors(tmp_path / "m", {"a": whole, "b": whole.astype(np.float16), "c": upper, "i": np.arange(3)})

    found = read_weights(tmp_path / "m")

    assert sorted(found) == ["a", "b", "c"]
    assert all(np.array_equal(tensor, whole) and tensor.dtype == np.float32 for tensor in found.values())


def test_folder_that_is_missing_or_empty_is_named(tmp_path):
    with pytest.raises(TextError, match=r"text\.folder.*nowhere is no folder"):
        text.encoder(f"folder:{tmp_path / 'nowhere'}")
    with pytest.raises(TextError, match=r"text\.folder.*holds no config\.json"):
        text.encoder(f"folder:{tmp_path}")


def change(folder, name, **told):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | told))


def test_folder_that_we_do_not_read_says_why_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "find_spec", lambda _: None)
    dense = [
        {"path": "", "type": "a.Transformer"},
        {"path": "1", "type": "a.Pooling"},
        {"path": "2", "type": "a.Dense"},
    ]
    changes = {
        "is a model of kind 'mpnet'": lambda m: change(m, "config.json", model_type="mpnet"),
        "has hidden_act 'relu'": lambda m: change(m, "config.json", hidden_act="relu"),
        "joins tokens by pooling_mode_max_tokens": lambda m: (m / "1_Pooling/config.json").write_text(
            '{"pooling_mode_max_tokens": true}'
        ),
        "has the modules Transformer, Pooling, Dense": lambda m: (m / "modules.json").write_text(json.dumps(dense)),
        "holds no model.safetensors": lambda m: (m / "model.safetensors").unlink(),
        "holds neither tokenizer.json nor vocab.txt": lambda m: (m / "tokenizer.json").unlink(),
    }
    for i, (why, spoil) in enumerate(changes.items()):
        model = write_model(tmp_path / f"m{i}")
        spoil(model)

        with pytest.raises(TextError, match=rf"text\.reader.*m{i} {why}.*Install the package sentence-transformers"):
            text.encoder(f"folder:{model}")


def test_folder_with_a_broken_file_says_so(tmp_path):
    half = {k: v for k, v in weights(7).items() if "layer.1" not in k}
    narrow = weights(7) | {"encoder.layer.0.output.dense.weight": np.zeros((WIDTH, 3), np.float32)}
    changes = {
        "cut short": lambda m: (m / "model.safetensors").write_bytes((m / "model.safetensors").read_bytes()[:-9]),
        "not in the safetensors format": lambda m: (m / "model.safetensors").write_bytes(b"PK\x03\x04" * 9),
        "layer.1.attention.self.query.weight' is missing": lambda m: write_safetensors(m / "model.safetensors", half),
        "do not fit": lambda m: write_safetensors(m / "model.safetensors", narrow),
        "its vocabulary has 15 tokens, the model 14": lambda m: change(
            m, "tokenizer.json", model={"type": "WordPiece", "vocab": {w: i for i, w in enumerate([*WORDS, "more"])}}
        ),
        "config.json holds no settings": lambda m: (m / "config.json").write_text("[]"),
        "Expecting": lambda m: (m / "config.json").write_text("{"),
    }
    for i, (why, spoil) in enumerate(changes.items()):
        model = write_model(tmp_path / f"m{i}")
        spoil(model)

        with pytest.raises(TextError, match=rf"text\.folder.*m{i} cannot be read as a model \(.*{why}"):
            text.encoder(f"folder:{model}")


def test_folder_kinds_of_roberta_begin_after_their_padding(tmp_path):
    bert, roberta = (write_model(tmp_path / kind, kind=kind) for kind in ("bert", "xlm-roberta"))

    places = [folder._reader(m).model.places for m in (bert, roberta)]

    assert np.array_equal(places[0][1:], places[1])


def test_folder_puts_the_models_prompt_before_each_text(model, tmp_path):
    asking = write_model(tmp_path / "asking")
    settings = {"prompts": {"ask": "steel "}, "default_prompt_name": "ask"}
    (asking / "config_sentence_transformers.json").write_text(json.dumps(settings))

    asked, told = folder._reader(asking).read(["battery"]), folder._reader(model).read(["steel battery"])
    assert asked == pytest.approx(told, abs=1e-6)


def test_marks_are_those_of_unicode():
    marks = [c for c in map(chr, range(0x3000)) if unicodedata.category(c).startswith("P")]

    found = PIECES.cut(["".join(marks)], 10**6)[0][1:-1]

    assert set(found) == {PIECES.unknown, WORDS.index(".")}
    assert len(found) == len(marks)
