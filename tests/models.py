"""A small sentence encoder with random weights, written as sentence-transformers writes one."""

import json
from pathlib import Path

import numpy as np

WIDTH, INNER, LAYERS, PLACES = 8, 16, 2, 12
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "battery", "bear", "##ing", "##s", "steel", "轴", "承", "钢", ".", "cafe"]


def write_model(folder: Path, *, kind: str = "bert", pooling: str = "mean_tokens", seed: int = 7) -> Path:
    """config.json, model.safetensors, tokenizer.json and what sentence-transformers adds; about 10 KB."""
    config = {
        "model_type": kind, "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2,
        "intermediate_size": INNER, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "max_position_embeddings": PLACES, "vocab_size": len(WORDS),
    }  # fmt: skip
    spelling = {"type": "BertNormalizer", "lowercase": True, "strip_accents": None, "handle_chinese_chars": True}
    tokenizer = {
        "normalizer": spelling,
        "model": {"type": "WordPiece", "vocab": {w: i for i, w in enumerate(WORDS)}},
    }
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"},
               {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    for name, told in {
        "config.json": config, "tokenizer.json": tokenizer, "modules.json": modules,
        "1_Pooling/config.json": {f"pooling_mode_{pooling}": True}, "sentence_bert_config.json": {"max_seq_length": 10},
    }.items():  # fmt: skip
        (folder / name).write_text(json.dumps(told), encoding="utf-8")
    write_safetensors(folder / "model.safetensors", weights(seed))
    return folder


def weights(seed: int) -> dict[str, np.ndarray]:
    """Random tensors by the names of BERT, float32."""
    draw = np.random.default_rng(seed).standard_normal
    made = {
        "embeddings.word_embeddings.weight": draw((len(WORDS), WIDTH)),
        "embeddings.position_embeddings.weight": draw((PLACES, WIDTH)),
        "embeddings.token_type_embeddings.weight": draw((2, WIDTH)),
    }
    shapes = {
        "attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER),
    }  # fmt: skip
    norms = ["embeddings.LayerNorm"]
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
        for name, shape in shapes.items():
            made |= {f"{at}.{name}.weight": draw(shape), f"{at}.{name}.bias": draw(shape[0])}
    for name in norms:
        made |= {f"{name}.weight": 1 + draw(WIDTH) / 4, f"{name}.bias": draw(WIDTH)}
    return {name: tensor.astype(np.float32) for name, tensor in made.items()}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """The format of safetensors: length of the heading, heading, numbers."""
    heading, numbers = {}, b""
    kinds = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64"}
    for name, tensor in tensors.items():
        raw = tensor.tobytes()
        heading[name] = {"dtype": kinds[tensor.dtype.name], "shape": list(tensor.shape),
                         "data_offsets": [len(numbers), len(numbers) + len(raw)]}  # fmt: skip
        numbers += raw
    told = json.dumps(heading).encode()
    path.write_bytes(len(told).to_bytes(8, "little") + told + numbers)
