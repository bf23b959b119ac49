"""The explainer of a model."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

from . import _question
from ._given import folder_of, one_or_several, pair_of, second_of_table, seconds_of, texts_of
from ._memory import in_memory
from ._progress import Progress, shown
from ._question import AS_MADE, Parts, Rules, Score, Truncation
from ._relprop import Model, ModelError, Table
from ._relprop import compare as compared
from ._relprop import table as explained_table

#: Why a model in memory does not go to another process.
IN_MEMORY = (
    "an explainer of a model in memory is not pickled, because its weights would be copied into the pickle: save the "
    "model with save_pretrained, and open the folder with from_pretrained"
)


class Explainer:
    """Explains the decisions of one model.

    Make it of a folder or a name on the Hugging Face Hub with :meth:`from_pretrained`, or of a model in
    memory: a transformers ``pipeline``, or a model and its tokenizer.

    An explainer can be called by several threads, which share the model; the interpreter's lock is free while
    it computes, and Ctrl-C ends the work. It pickles as a recipe: the folder, the hashes of its files, and
    what is asked, but not the weights.

    Parameters
    ----------
    model
        A ``pipeline`` of transformers, or a model of transformers or sentence-transformers. Torch's weights
        are copied once; the explainer needs no torch afterwards.
    tokenizer
        The model's tokenizer, its image processor, or the processor that is both; a pipeline has its own.
    device
        Where to compute: ``cpu``, or what :func:`relprop.devices` lists.
    dtype
        The type of the weights: ``f64``, ``f32``, ``f16`` or ``bf16``.
    num_threads
        How many threads compute; as many as there are cores by default.
    rules
        The rules of propagation: a preset, a file that ends in ``.toml``, a text in TOML, a dict, or a
        :class:`RuleSet`; ``ah-ln`` by default.
    method
        A method in the place of propagation: ``integrated-gradients:steps=50``, ``attention-rollout``, ...
    at
        The site at which propagation reads relevance; ``blocks``, the input of the first block, by default.
    ledger
        Whether each explanation accounts for its whole target, see :class:`Ledger`.
    recompute
        Whether blocks run again in the backward pass, which takes less memory and more time.
    score
        How the target is measured: ``logit``, ``log-probability``, ``entropy`` of the prediction, or ``norm`` of the last
        state.
    truncation
        What is done to a text that is too long: ``cut`` it, ``cut-start``, ``refuse`` it, or read it in ``windows`` that
        overlap by half, and explain the mean over them.
    seed
        The seed of methods that draw random numbers, and of tokens that are drawn.

    Raises
    ------
    ValueError
        If something does not exist or does not fit the model: the message says what exists.
    """

    _model: Model
    _asked: dict[str, Any]
    _recipe: dict[str, Any] | None

    def __init__(
        self,
        model: Any,
        tokenizer: Any = None,
        *,
        device: str = "cpu",
        dtype: str | None = None,
        num_threads: int | None = None,
        rules: Rules | None = None,
        method: str | None = None,
        at: str | None = None,
        ledger: bool = False,
        recompute: bool = False,
        score: Score = "logit",
        truncation: Truncation = "cut",
        seed: int = 0,
    ) -> None:
        if isinstance(model, (str, os.PathLike)):
            raise TypeError("a folder or a name is opened with Explainer.from_pretrained(...)")
        with in_memory(model, tokenizer) as folder:
            opened = Model.open(folder, None, device, dtype, num_threads)
        self._make(
            opened,
            None,
            rules=rules,
            method=method,
            at=at,
            ledger=ledger,
            recompute=recompute,
            score=score,
            truncation=truncation,
            seed=seed,
        )

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str],
        rules: Rules | None = None,
        *,
        base: str | os.PathLike[str] | None = None,
        revision: str | None = None,
        device: str = "cpu",
        dtype: str | None = None,
        num_threads: int | None = None,
        method: str | None = None,
        at: str | None = None,
        ledger: bool = False,
        recompute: bool = False,
        score: Score = "logit",
        truncation: Truncation = "cut",
        seed: int = 0,
    ) -> Explainer:
        """Opens a model.

        Parameters
        ----------
        name
            A folder in the layout of Hugging Face, a GGUF file, or a name on the Hub, which
            ``huggingface_hub`` fetches into its own cache if it is installed.
        base
            The folder of the model that an adapter in ``name`` changes.
        revision
            The branch, tag or commit on the Hub.
        rules, device, dtype, num_threads, method, at, ledger, recompute, score, truncation, seed
            As in :class:`Explainer`.

        Raises
        ------
        OSError
            If there is no such folder, or it cannot be read.
        ModelError
            If its files are not understood.
        ValueError
            If what is asked does not fit the model.
        """
        folder = folder_of(name, revision)
        opened = Model.open(folder, base, device, dtype, num_threads)
        recipe = {
            "name": os.path.abspath(folder),
            "base": None if base is None else os.path.abspath(base),
            "device": device,
            "dtype": dtype,
            "num_threads": num_threads,
        }
        explainer = cls.__new__(cls)
        explainer._make(
            opened,
            recipe,
            rules=rules,
            method=method,
            at=at,
            ledger=ledger,
            recompute=recompute,
            score=score,
            truncation=truncation,
            seed=seed,
        )
        return explainer

    def _make(self, model: Model, recipe: dict[str, Any] | None, **asked: Any) -> None:
        self._model = model
        self._recipe = recipe
        self._asked = _question.question(**asked)
        if model.has_towers:
            model.check(_question.comparison(self._asked))
        elif not model.makes_vectors:
            model.check(_question.request(self._asked))

    def __call__(
        self,
        texts: str | Sequence[str] | None = None,
        *,
        images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
        target: str | int | None = None,
        against: str | int | None = None,
        pair: str | Sequence[str] | None = None,
        query: str | None = None,
        labels: Sequence[str] | None = None,
        template: str | None = None,
        several: bool = False,
        answer: str | Sequence[str] | None = None,
        position: int | None = None,
        chat: bool = False,
        parts: Parts | None = None,
        segments: str | None = None,
        hops: int | None = None,
        generate: int | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        rules: Rules | Any = AS_MADE,
        method: str | Any = AS_MADE,
        at: str | Any = AS_MADE,
        ledger: bool | Any = AS_MADE,
        recompute: bool | Any = AS_MADE,
        score: Score | Any = AS_MADE,
        truncation: Truncation | Any = AS_MADE,
        seed: int | Any = AS_MADE,
        progress: Progress = False,
    ) -> Any:
        """Explains one text, or several.

        Several texts are sorted by length inside and explained in passes of bounded memory. An explanation does
        not depend on the texts beside it.

        Parameters
        ----------
        texts
            A text, or a sequence of texts.
        images
            For a model that reads pictures: the path of a picture file (PNG, JPEG, GIF, WebP, BMP, TIFF), or several.
        target
            What is explained: ``predicted`` (the default), a label, its index, or two of them as ``A-B``; of a
            language model a token, with its space: ``" are"``.
        against
            Explain why the target rather than this label or token.
        pair
            What the model reads after the text: one text for all, or one for each.
        query
            What the model reads before each text: a query before passages, a question before texts that may answer it.
        labels
            Labels that the model was never trained on: a model of entailment says whether what each says follows from
            the text.
        template
            The sentence that such a label makes, with ``{}`` where it stands; ``This example is {}.`` by default.
        several
            Whether several of these labels can be true at once.
        answer
            Explain why a language model gives this answer: one for all texts, or one for each.
        position
            The token that is asked, counted from 0, where a model answers at single tokens.
        chat
            Whether texts are put through the model's chat template.
        parts
            What is explained where each token has a label: ``entities`` or ``tokens``.
        segments
            Gather relevance by ``sentences``, ``lines``, ``words``, the fields of a ``json`` document, or at a separator
            of your own; see :attr:`Explanation.segments`.
        hops
            Pass the relevance of an answer's own earlier tokens on to the prompt, so many times; see
            :attr:`Explanation.hops`.
        generate
            Let a language model add so many tokens, and explain each of them.
        temperature, top_k, top_p
            Draw these tokens, as ``generate`` of transformers does; without all three, each is the likeliest.
        rules, method, at, ledger, recompute, score, truncation, seed
            As in :class:`Explainer`, in the place of what it was made with.
        progress
            Whether to show a bar, if tqdm is installed; or what is called with the number of texts that are done.

        Returns
        -------
        Explanation, or a list of them
            Of a model that labels tokens a :class:`Labelling`, with ``generate`` a :class:`Continuation`, with ``labels``
            a :class:`ZeroShot`.

        Raises
        ------
        ValueError
            If a text cannot be explained, or something does not fit the model.
        DeviceError
            If the device fails.
        """
        given, is_one = texts_of(texts, images, self._model.reads_pictures)
        seconds, second = seconds_of(pair, len(given), is_one)
        answers, answered = seconds_of(answer, len(given), is_one)
        changes = _question.question(
            target=None if target is None else str(target),
            against=None if against is None else str(against),
            pair=pair_of(second, query),
            labels=None if labels is None else list(labels),
            template=template,
            several=several,
            answer=answered,
            position=position,
            chat=chat,
            parts=parts,
            segments=segments,
            hops=hops,
            generate=generate,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            rules=rules,
            method=method,
            at=at,
            ledger=ledger,
            recompute=recompute,
            score=score,
            truncation=truncation,
            seed=seed,
        )
        asked = _question.request(_question.with_changes(self._asked, changes))
        with shown(progress, len(given)) as done:
            found = self._model.explain(given, answers or seconds, asked, done)
        return found[0] if is_one else found

    def compare(
        self,
        images: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        texts: str | Sequence[str],
        *,
        target: str | int | None = None,
        against: str | int | None = None,
        pairs: bool = False,
        rules: Rules | Any = AS_MADE,
        at: str | Any = AS_MADE,
        ledger: bool | Any = AS_MADE,
        recompute: bool | Any = AS_MADE,
        score: Score | Any = AS_MADE,
        truncation: Truncation | Any = AS_MADE,
        progress: Progress = False,
    ) -> Any:
        """Tells how well texts fit a picture, and why, to a model of two towers (CLIP, SigLIP).

        Parameters
        ----------
        images
            The path of a picture file (PNG, JPEG, GIF, WebP, BMP, TIFF), or several.
        texts
            The texts that each picture is compared with, or one.
        target
            What is explained: the logit of the likeliest text, ``predicted`` (the default), of a text, or of its index.
        against
            Explain why the target rather than this text, or its index.
        pairs
            Whether pairs of patches and words have relevance as well, which takes a pass for each feature of a vector.
        at
            The site of both towers at which relevance is read, or two with a comma between them: that of the tower for
            pictures first, as in ``embeddings.pixel,embeddings.word``.
        rules, ledger, recompute, score, truncation
            As in :class:`Explainer`, in the place of what it was made with.
        progress
            Whether to show a bar, if tqdm is installed; or what is called with the number of pictures that are done.

        Returns
        -------
        Comparison, or a list of them
            Of one picture, or of several.

        Raises
        ------
        OSError
            If a picture cannot be read.
        ValueError
            If the model has no two towers, a file is no picture, or something does not fit the model.
        """
        names, is_one = one_or_several(images)
        changes = _question.question(
            texts=one_or_several(texts)[0],
            target=None if target is None else str(target),
            against=None if against is None else str(against),
            pairs=pairs,
            rules=rules,
            at=at,
            ledger=ledger,
            recompute=recompute,
            score=score,
            truncation=truncation,
        )
        asked = _question.comparison(_question.with_changes(self._asked, changes))
        with shown(progress, len(names)) as done:
            found = compared(self._model, names, asked, done)
        return found[0] if is_one else found

    def table(
        self,
        data: Any,
        column: str | None = None,
        *,
        pair_column: str | None = None,
        answer_column: str | None = None,
        batch_size: int = 1024,
        errors: str = "column",
        target: str | int | None = None,
        against: str | int | None = None,
        pair: str | None = None,
        query: str | None = None,
        answer: str | None = None,
        position: int | None = None,
        chat: bool = False,
        rules: Rules | Any = AS_MADE,
        method: str | Any = AS_MADE,
        at: str | Any = AS_MADE,
        ledger: bool | Any = AS_MADE,
        recompute: bool | Any = AS_MADE,
        score: Score | Any = AS_MADE,
        truncation: Truncation | Any = AS_MADE,
        seed: int | Any = AS_MADE,
        progress: Progress = False,
    ) -> Table:
        """Explains the texts of a table.

        Rows go in and out as Arrow batches, without a detour by Python. The result is computed as it is read, a
        batch at a time, so a table need not fit into memory.

        Parameters
        ----------
        data
            What gives Arrow batches: a table, reader or dataset of pyarrow, a DataFrame of polars or pandas, a
            ``datasets.Dataset``; or the path of a Parquet file.
        column
            The column of the texts; ``text`` or ``sentence`` by default.
        pair_column, answer_column
            The columns of second texts, and of answers.
        batch_size
            How many rows are explained, and held in memory, at a time.
        errors
            What becomes of a row that cannot be explained: ``column`` keeps it with nulls, and says why in a
            column ``error``; ``skip`` leaves it out; ``raise`` ends the work.
        target, against, pair, query, answer, position, chat, rules, method, at, ledger, recompute, score, truncation, \
seed, progress
            As when the explainer is called.

        Returns
        -------
        Table
            The columns of ``data``, then ``prediction``, ``target``, ``target_value``, ``logits``, ``tokens``,
            ``words``, ``dropped_tokens``; with ``ledger`` also ``absorbed`` and ``unaccounted``.

        Raises
        ------
        KeyError
            If there is no such column.
        ValueError
            If the column holds no texts, or something does not fit the model.
        """
        from ._table import batches_of

        changes = _question.question(
            target=None if target is None else str(target),
            against=None if against is None else str(against),
            pair=pair_of(second_of_table(pair, pair_column), query),
            answer=second_of_table(answer, answer_column),
            position=position,
            chat=chat,
            rules=rules,
            method=method,
            at=at,
            ledger=ledger,
            recompute=recompute,
            score=score,
            truncation=truncation,
            seed=seed,
        )
        asked = _question.request(_question.with_changes(self._asked, changes))
        done: Callable[[int], object] | None = None
        if callable(progress):
            done = progress
        elif progress:
            from ._progress import bar

            done = bar(None).__enter__()
        return explained_table(self._model, batches_of(data, batch_size), column, asked, batch_size, errors, done)

    @property
    def labels(self) -> list[str]:
        """The model's labels; of a language model, none."""
        return self._model.labels

    @property
    def family(self) -> str:
        """The family of the model: ``bert``, ``llama``, ..."""
        return self._model.family

    @property
    def sha256(self) -> str | None:
        """The SHA-256 of the model's weights, in hexadecimal."""
        return self._model.sha256

    def sites(self, tower: Literal["picture", "text"] | None = None) -> list[tuple[str, str | None]]:
        """The sites of the model, each with its operation: where relevance can be read, and rules assigned.

        Of a model of two towers, those of the ``tower`` that is named.
        """
        return self._model.sites(tower)

    def _with_threads(self, num_threads: int) -> Explainer:
        """The recipe of this explainer with so many threads. It shares the model, and is there to be pickled."""
        if self._recipe is None:
            raise TypeError(IN_MEMORY)
        other = type(self).__new__(type(self))
        other._model, other._asked = self._model, self._asked
        other._recipe = {**self._recipe, "num_threads": num_threads}
        return other

    def __reduce__(self) -> tuple[Any, ...]:
        if self._recipe is None:
            raise TypeError(IN_MEMORY)
        settings = Model.settings_sha256(self._recipe["name"])
        return _reopened, (type(self), self._recipe, self._asked, self._model.sha256, settings)

    def __repr__(self) -> str:
        asked = "".join(
            f", {name}={value['name'] if name == 'rules' else value!r}" for name, value in self._asked.items() if value
        )
        place = "a model in memory" if self._recipe is None else self._recipe["name"]
        return f"Explainer({self.family}, {place}{asked})"


def _reopened(
    cls: type[Explainer],
    recipe: dict[str, Any],
    asked: dict[str, Any],
    sha256: str | None,
    settings: str,
) -> Explainer:
    """An explainer by its recipe, of the same files."""
    options = dict(recipe)
    name = options.pop("name")
    if not os.path.exists(name):
        raise FileNotFoundError(
            f"there is no {name} here, where the explainer was made: every process that unpickles one needs the "
            "model at the same path"
        )
    explainer = cls.from_pretrained(name, **options)
    if explainer.sha256 != sha256 or Model.settings_sha256(name) != settings:
        raise ModelError(f"{name} holds another model than the one that the explainer was made of")
    explainer._asked = asked
    return explainer
