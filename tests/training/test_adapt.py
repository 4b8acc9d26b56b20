import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from support.bases import tiny_base, toy_documents
from viner.encoding import PieceEncoder
from viner.errors import TrainingError, UsageError
from viner.text import words_of
from viner.training import adapt as module
from viner.training import adapted_base
from viner.training.adapt import Adapter
from viner.training.adapt_config import AdaptConfig
from viner.training.checkpoint import ADAPTATION, TrainingFolder
from viner.training.language_head import NewHead, OwnHead, language_head
from viner.training.masked_model import Guesses
from viner.training.masking import Passages
from viner.training.model import load_encoder

TESTS = Path(__file__).parents[1]
RECIPE = {"epochs": 4, "learning_rate": 5e-3, "head_steps": 8, "batch_pieces": 192, "precision": "fp32", "patience": 99}
RELATIVE = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8, "norm_rel_ebd": "layer_norm"}
ENCODERS = {
    "BERT": ("bert", None, {}),
    "RoBERTa": ("roberta", "BPE", {}),
    "XLM-R": ("xlm-roberta", "Unigram", {}),
    "ViDeBERTa": ("deberta-v2", "Unigram", RELATIVE),
    "ELECTRA": ("electra", "WordPiece", {"embedding_size": 16}),
    "DistilBERT": ("distilbert", None, {}),
    "ALBERT": ("albert", "Unigram", {"embedding_size": 16}),
}


def passages_of(base, count=100):
    encoder = PieceEncoder.from_folder(base)
    passages = Passages(encoder.capacity)
    for document in toy_documents(count, 7):
        passages.add(encoder.encode(document.text, words_of(document)))
    return passages, encoder


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    monkeypatch.setattr(module, "_ROUNDS", 8)


def make(base, **choices):
    events = []
    passages, encoder = passages_of(base)
    config = AdaptConfig(**{**RECIPE, **choices})
    return Adapter(base, passages, encoder, config, observe=lambda event: events.append(dict(event))), events


def run(adapter, folder):
    with TrainingFolder(folder) as entered:
        return adapter.run(entered)


def weights(folder):
    return load_encoder(folder, 0.0).state_dict()


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def masked_model(folder, base, kind, **config):
    """A base that brings its language-modeling head."""
    from transformers import AutoConfig, AutoModelForMaskedLM

    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((base / name).read_bytes())
    torch.manual_seed(3)
    model = AutoModelForMaskedLM.from_config(AutoConfig.from_pretrained(base, **config))
    model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_learns_to_guess_words_and_becomes_a_base_of_its_kind(tmp_path, name):
    kind, tokenizer, config = ENCODERS[name]
    base = tiny_base(tmp_path / "base", kind, layers=1, tokenizer=tokenizer, **config)
    adapter, events = make(base)
    adapted = run(adapter, tmp_path / "t")
    before, after = adapted.record["before"], adapted.record["after"]
    assert after["loss"] < before["loss"]
    assert adapted.record["kept"]
    old, new = weights(base), weights(adapted.folder)
    assert old.keys() == new.keys()
    changed = {weight for weight in old if (old[weight] != new[weight]).any()}
    assert all(np.isfinite(new[weight].numpy()).all() for weight in new)
    assert {weight for weight in old if "word_embeddings" in weight}.isdisjoint(changed)
    assert len(changed) > len(old) / 2
    encoder = PieceEncoder.from_folder(adapted.folder)
    assert (
        encoder.encode("Lan ở Huế", [(0, 3)]).pieces.tolist()
        == PieceEncoder.from_folder(base).encode("Lan", [(0, 3)]).pieces.tolist()
    )
    assert {event["part"] for event in of(events, "adapt_step")} == {"head", "encoder"}
    assert of(events, "adapt_start")[0]["new_head"]


def test_only_where_it_is_asked_for_embeddings_learn_too(tmp_path, base):
    adapted = run(make(base, freeze_embeddings=False)[0], tmp_path / "t")
    old, new = weights(base), weights(adapted.folder)
    assert all((old[weight] != new[weight]).any() for weight in old if "word_embeddings" in weight)


def test_what_happens_is_told_in_rounds_with_loss_rate_and_time(tmp_path, base):
    made, events = make(base)
    adapted = run(made, tmp_path / "t")
    rounds = of(events, "adapt_round")
    assert [event["round"] for event in rounds] == list(range(len(rounds)))
    assert rounds[-1]["share"] == 1.0
    assert len(rounds) == 9
    assert all(event["seconds_left"] >= 0 for event in rounds[1:-1])
    best = min(rounds, key=lambda event: event["loss"])
    assert adapted.record["after"] == {"loss": best["loss"], "accuracy": best["accuracy"]}
    assert adapted.record["before"] == {name: rounds[0][name] for name in ("loss", "accuracy")}
    rates = [event["rate"] for event in of(events, "adapt_step") if event["part"] == "encoder"]
    assert max(rates) == pytest.approx(5e-3, rel=0.2)
    assert rates[0] < max(rates) / 2
    assert rates[-1] < max(rates) / 5
    assert adapted.record["epochs"] == 4


@pytest.mark.parametrize("kind", ["bert", "roberta", "xlm-roberta", "electra", "distilbert", "deberta-v2", "albert"])
def test_a_head_that_the_base_brings_is_used_and_guesses_as_the_stock_model_does(tmp_path, kind):
    from transformers import AutoModelForMaskedLM

    config = next(config for other, _, config in ENCODERS.values() if other == kind)
    tokenizer = next(tokenizer for other, tokenizer, _ in ENCODERS.values() if other == kind)
    bare = tiny_base(tmp_path / "bare", kind, layers=1, tokenizer=tokenizer, **config)
    whole = masked_model(tmp_path / "whole", bare, kind)
    encoder = load_encoder(whole, 0.1).eval()
    counts = torch.ones(encoder.config.vocab_size)
    assert isinstance(language_head(bare, load_encoder(bare, 0.1), counts), NewHead)
    head = language_head(whole, encoder, counts)
    assert isinstance(head, OwnHead)
    ids = torch.tensor([[7, 9, 8, 10, 11, 6]])
    mask = torch.ones_like(ids)
    with torch.no_grad():
        expected = AutoModelForMaskedLM.from_pretrained(whole).eval()(input_ids=ids, attention_mask=mask).logits
        vectors = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        assert torch.allclose(head(vectors[0, [1, 4]]), expected[0, [1, 4]], atol=1e-4)
        # The output matrix is the encoder's own: it follows where the encoder goes.
        encoder.get_input_embeddings().weight.mul_(2)
        assert not torch.allclose(head(vectors[0, [1, 4]]), expected[0, [1, 4]], atol=1e-2)


def test_a_new_head_begins_with_the_frequencies_of_the_pieces(base):
    passages, _ = passages_of(base)
    encoder = load_encoder(base, 0.0).eval()
    head = language_head(base, encoder, passages.counts(encoder.config.vocab_size))
    frequencies = torch.bincount(torch.cat([torch.from_numpy(passages[k][0]) for k in range(len(passages))]))
    logits = head(torch.randn(500, 32))
    guessed = logits.softmax(-1).mean(0)[: len(frequencies)]
    assert torch.corrcoef(torch.stack([guessed, frequencies.float()]))[0, 1] > 0.9
    assert 0.2 < float((logits - head.bias).detach().std()) < 3


def test_with_its_own_head_a_base_learns_at_once(tmp_path, base):
    made, events = make(masked_model(tmp_path / "whole", base, "bert"))
    adapted = run(made, tmp_path / "t")
    assert {event["part"] for event in of(events, "adapt_step")} == {"encoder"}
    assert adapted.record["after"]["loss"] < adapted.record["before"]["loss"]
    assert weights(adapted.folder).keys() == weights(base).keys()


def test_a_base_that_gets_no_better_stays_as_it_was(tmp_path, base, monkeypatch):
    made, events = make(base, patience=2)
    measure, rising = made._model.measure, iter(range(100))
    monkeypatch.setattr(made._model, "measure", lambda: Guesses(measure().loss + 10 * next(rising), 0.0))
    adapted = run(made, tmp_path / "t")
    assert len(of(events, "adapt_round")) == 3
    assert not adapted.record["kept"]
    assert adapted.record["after"] == adapted.record["before"]
    old, new = weights(base), weights(adapted.folder)
    assert all(torch.equal(old[weight], new[weight]) for weight in old)


def test_a_round_that_changed_nothing_is_not_taken_for_a_better_one(base, tmp_path, monkeypatch):
    """What is told is rounded, and up may be the way to round it."""
    made, events = make(base, patience=2)
    monkeypatch.setattr(made._model, "measure", lambda: Guesses(3.0765604, 0.1))
    adapted = run(made, tmp_path / "t")
    assert [event["best"] for event in of(events, "adapt_round")] == [True, False, False]  # the first is how it was
    assert not adapted.record["kept"]


def test_a_loss_that_is_no_number_ends_it_and_the_best_round_is_kept(tmp_path, base, monkeypatch):
    made, events = make(base)
    step, count = made._model.step, iter(range(1000))

    def broken(batch, optimizer, *, encoder=True):
        return math.nan if encoder and next(count) == 12 else step(batch, optimizer, encoder=encoder)

    monkeypatch.setattr(made._model, "step", broken)
    adapted = run(made, tmp_path / "t")
    rounds = of(events, "adapt_round")
    assert rounds[-1]["share"] < 1
    assert adapted.record["after"]["loss"] == min(event["loss"] for event in rounds[:-1])


def test_epochs_need_not_have_the_same_number_of_batches(tmp_path, base):
    made, events = make(base, epochs=9, batch_pieces=75, head_steps=0)
    assert len({len(made._model.plan(epoch)) for epoch in range(9)}) > 1
    adapted = run(made, tmp_path / "t")
    assert adapted.record["epochs"] == 9
    steps = of(events, "adapt_step")
    assert len(steps) == sum(len(made._model.plan(epoch)) for epoch in range(9))
    assert {event["epoch"] for event in steps} == set(range(1, 10))


def test_the_time_for_it_is_kept_and_the_rate_falls_to_nothing_by_then(tmp_path, base):
    made, events = make(base, budget_minutes=0.02, epochs=1000)
    adapted = run(made, tmp_path / "t")
    assert 0.6 < adapted.record["seconds"] < 6
    assert adapted.record["epochs"] < 1000
    rates = [event["rate"] for event in of(events, "adapt_step") if event["part"] == "encoder"]
    assert rates[-1] < max(rates) / 3


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training.test_adapt import RECIPE, module, passages_of
from viner.training.adapt import Adapter
from viner.training.adapt_config import AdaptConfig
from viner.training.checkpoint import TrainingFolder

def observe(event):
    if event["event"] == "adapt_round" and event["round"] == 4:
        os.kill(os.getpid(), signal.SIGKILL)

module._ROUNDS = 8
base = Path(sys.argv[2])
adapter = Adapter(base, *passages_of(base), AdaptConfig(**RECIPE), observe=observe)
with TrainingFolder(Path(sys.argv[3])) as folder:
    adapter.run(folder)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_adaptation_goes_on_ends_in_the_same_weights_and_is_not_done_twice(tmp_path, base):
    command = [sys.executable, "-c", KILLED, str(TESTS), str(base), str(tmp_path / "killed")]
    assert subprocess.run(command, check=False).returncode == -9
    assert (tmp_path / "killed" / ADAPTATION).is_file()
    made, events = make(base)
    resumed = run(made, tmp_path / "killed")
    assert of(events, "adapt_resume")
    assert of(events, "adapt_round")[0]["round"] == 4
    assert not [event for event in of(events, "adapt_step") if event["part"] == "head"]
    whole = run(make(base)[0], tmp_path / "whole")
    one, other = weights(resumed.folder), weights(whole.folder)
    assert all(torch.equal(one[weight], other[weight]) for weight in one)
    assert not (tmp_path / "killed" / ADAPTATION).exists()
    made, events = make(base)
    again = run(made, tmp_path / "killed")
    assert [event["event"] for event in events] == ["adapt_found"]
    assert again == resumed


def test_other_choices_texts_or_weights_adapt_anew_and_leave_no_old_weights(tmp_path, base):
    first = run(make(base)[0], tmp_path / "t")
    other = run(make(base, seed=2)[0], tmp_path / "t")
    assert other.folder != first.folder
    assert not first.folder.exists()
    twin = tiny_base(tmp_path / "twin")
    model = load_encoder(twin, 0.1)
    with torch.no_grad():
        model.get_input_embeddings().weight[9] += 1
    model.save_pretrained(twin)
    made, events = make(twin, seed=2)
    run(made, tmp_path / "t")
    assert of(events, "adapt_start")


def test_adapted_weights_that_cannot_be_written_are_said_and_not_left_by_half(tmp_path, base, monkeypatch):
    made, _ = make(base, epochs=1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(adapted_base.shutil, "copyfile", full)
    with pytest.raises(TrainingError, match="No space left") as caught:
        run(made, tmp_path / "t")
    assert "same command" in caught.value.hint
    assert {item.name for item in (tmp_path / "t").iterdir()} <= {ADAPTATION, "lock"}
    monkeypatch.undo()
    made, events = make(base, epochs=1)
    assert run(made, tmp_path / "t").record["kept"]
    assert not of(events, "adapt_step")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"epochs": 0}, "adapt_epochs must be greater than 0, not 0"),
        ({"budget_minutes": -1}, "adapt_budget_minutes must be greater than 0"),
        ({"mask": 1.0}, "adapt_mask must be greater than 0 and less than 1"),
        ({"head_steps": -1}, "adapt_head_steps must be at least 0"),
        ({"warmup": 1.0}, "adapt_warmup must be at least 0 and less than 1"),
    ],
)
def test_choices_that_cannot_be_are_refused(choices, message):
    with pytest.raises(UsageError, match=message):
        AdaptConfig(**choices)
