"""Planted identifiers that come out of DICOM tools, what they keep, and how long they take, in one run.

    python benchmarks/dicom.py FOLDER            files to plant in: any folder of DICOM objects

Into a copy of each file identifiers are planted: in the header, in sequences, private elements, overlay, icon, padding,
preamble and file meta information (`dicom_plants.py`). Each tool runs at its defaults. *Leaks* are planted words found
in the bytes of what it writes, in ASCII or UTF-16. *Kept* are attributes and words of descriptions that a study needs.
*UIDs* says whether a second process makes the same instance UIDs. Milliseconds are of one process, reading and writing
included; the first file is not counted. Veil is timed without its search for text in pixels, which no peer has, and
once more with it. The peers are installed into folders of their own at the first run.

Then the stage alone: images of 512 x 512 (MR), 2,000 x 2,000 (CR) and 100 frames of 640 x 480 (US), the header only and
with text detection, on one process and on two.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "benchmarks")]

import dicom_plants  # noqa: E402 - needs the folder on the path

PEERS = {
    "dicom-anonymizer": (
        "dicom-anonymizer==2.1.0",
        "from dicomanonymizer import anonymize as run\nrun(a, b, {}, False)",
    ),
    "dicognito": (
        "dicognito==0.19.0",
        "import dicognito.anonymizer as D, pydicom\n"
        "if 'tool' not in globals(): tool = D.Anonymizer()\n"
        "d = pydicom.dcmread(a); tool.anonymize(d); d.save_as(b)",
    ),
    "deid": (
        "deid==0.4.13",
        "from deid.dicom import replace_identifiers\nfrom deid.config import DeidRecipe\n"
        "d = replace_identifiers(dicom_files=[a], save=False, remove_private=True)[0]; d.save_as(b)",
    ),
    "dcmanon": (
        "dcmanon==0.3.1",
        "import dcmanon, pathlib\n"
        "if 'tool' not in globals(): tool = dcmanon.Anonymizer()\n"
        "pathlib.Path(b).write_bytes(bytes(tool.anonymize(a)))",
    ),
    "veil": ("", ""),
}
RUNNER = """
import json, sys, time, warnings, logging
warnings.simplefilter('ignore'); logging.disable(logging.CRITICAL)
times, failed = [], 0
for a, b in json.loads(sys.stdin.read()):
    began = time.perf_counter()
    try:
        exec(CODE)
    except Exception as error:
        failed += 1
        print(type(error).__name__, str(error)[:90], file=sys.stderr)
        continue
    times.append(time.perf_counter() - began)
print(json.dumps([times, failed]))
"""


def _target(name: str) -> Path:
    folder = PROJECT / ".veil" / "bench" / name
    requirement = PEERS[name][0]
    if requirement and not folder.is_dir():
        uv = PROJECT / ".veil" / "boot" / "bin" / "uv"
        subprocess.run([uv, "pip", "install", "-q", "--target", folder, requirement], check=True)
    return folder


def _run(name: str, pairs: list[tuple[str, str]]) -> tuple[list[float], int]:
    """Run a tool over pairs of input and output in a process of its own; give seconds for each, and what failed."""
    if name.startswith("veil"):
        code = (
            "from tests.dicom_objects import anonymized\nimport pathlib\n"
            + ("" if name == "veil+text" else "import veil.transforms.dicom.clean as c; c.mask = lambda *_: ()\n")
            + "o = anonymized(pathlib.Path(a).read_bytes(), 'expert'); pathlib.Path(b).write_bytes(o.payload)"
        )
        path = [str(PROJECT), str(PROJECT / "jobs")]
    else:
        folder = _target(name)
        path = [str(folder)]
        code = PEERS[name][1]
    program = f"import sys; sys.path[:0] = {path!r}\nCODE = {code!r}\n{RUNNER}"
    done = subprocess.run(
        [sys.executable, "-c", program], input=json.dumps(pairs), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-400:]}")
    times, failed = json.loads(done.stdout.splitlines()[-1])
    return times, failed


def _leaks(payload: bytes, tokens: list[str]) -> int:
    return sum(any(token.encode(kind) in payload for kind in ("ascii", "utf-16-le")) for token in tokens)


def _kept(path: Path) -> tuple[int, int]:
    import pydicom

    dataset = pydicom.dcmread(path, force=True)
    wanted = [(keyword, None) for keyword in dicom_plants.KEPT]
    wanted += [(keyword, kept) for keyword, (_, kept) in dicom_plants.DESCRIPTIONS.items() if kept]
    found = 0
    for keyword, text in wanted:
        value = str(dataset.get(keyword, "") or "")
        found += bool(value) if text is None else all(word in value for word in text.split())
    return found, len(wanted)


def compare(folder: Path, work: Path) -> None:
    """Print a row for each tool."""
    planted: dict[Path, list[str]] = {}
    for number, source in enumerate(dicom_plants.sources(folder)):
        try:
            payload, plants = dicom_plants.plant(source, number)
        except Exception:  # noqa: BLE001, S112 - what cannot be planted in is not measured
            continue
        target = work / f"in-{number:04}.dcm"
        target.write_bytes(payload)
        planted[target] = plants.tokens
    print(f"{len(planted)} files, {sum(len(tokens) for tokens in planted.values())} planted words")
    print(f"{'tool':<18} {'leaks':>6} {'kept':>11} {'same UIDs':>10} {'ms/file':>8} {'failed':>7}")
    for name in (*PEERS, "veil+text"):
        outputs = [work / f"{name}-{turn}" for turn in (0, 1)]
        for output in outputs:
            output.mkdir()
        times: list[float] = []
        failed = 0
        try:
            for output in outputs:
                times, failed = _run(name, [(str(path), str(output / path.name)) for path in planted])
        except Exception as error:  # noqa: BLE001 - a peer that does not run is said to
            print(f"{name:<18} could not be run here: {str(error)[-80:]!r}")
            continue
        print(_row(name, planted, outputs, times, failed), flush=True)


def _row(name: str, planted: dict[Path, list[str]], outputs: list[Path], times: list[float], failed: int) -> str:
    import pydicom

    leaks = kept = wanted = same = compared = 0
    for source, tokens in planted.items():
        first, second = (output / source.name for output in outputs)
        if not first.is_file():
            continue
        leaks += _leaks(first.read_bytes(), tokens)
        found, of = _kept(first)
        kept, wanted = kept + found, wanted + of
        uids = [pydicom.dcmread(path, force=True).get("SOPInstanceUID") for path in (first, second) if path.is_file()]
        same, compared = same + (len(set(uids)) == 1), compared + 1
    milliseconds = 1000 * sum(times[1:]) / max(1, len(times) - 1)
    return f"{name:<18} {leaks:>6} {kept:>5}/{wanted:<5} {same:>4}/{compared:<5} {milliseconds:>8.1f} {failed:>7}"


def _image(kind: str) -> bytes:
    import io

    import cv2
    import numpy as np
    import pydicom

    from tests.dicom_objects import objects, written

    rows, columns, frames, bits = {"MR": (512, 512, 1, 16), "CR": (2000, 2000, 1, 16), "US": (480, 640, 100, 8)}[kind]
    dataset = pydicom.dcmread(io.BytesIO(objects()[2 if kind == "US" else 0][0]))
    one = cv2.resize(dataset.pixel_array.astype(np.float32), (columns, rows), interpolation=cv2.INTER_CUBIC).clip(0)
    shown = np.stack([one if frames == 1 else one * (0.9 + number / 1000) for number in range(frames)])
    dataset.Modality, dataset.Rows, dataset.Columns, dataset.NumberOfFrames = kind, rows, columns, frames
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit = bits - 1
    dataset.PixelData = shown.clip(0, 2**bits - 1).astype(np.uint8 if bits == 8 else "<u2").tobytes()
    return written(dataset)


def _one(kind: str, *, text: bool) -> tuple[float, float]:
    """Give the seconds of one object, the second time, and the peak of the process in MB."""
    import veil.transforms.dicom.clean as clean
    from tests.dicom_objects import anonymized, objects

    if not text:
        clean.mask = lambda *_: ()
    payload = _image(kind)
    anonymized(objects()[0][0], "expert")
    began = time.perf_counter()
    anonymized(payload, "expert")
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stage() -> None:
    """Print the seconds of single images, and how two processes share them."""
    print(f"\n{'image':<24} {'header s':>9} {'with text s':>12} {'peak MB':>8} {'2 at once, ratio':>17}")
    for kind, title in (("MR", "512 x 512 MR"), ("CR", "2,000 x 2,000 CR"), ("US", "100 frames of 640 x 480")):
        with ProcessPoolExecutor(1, max_tasks_per_child=1) as alone:
            header, _ = alone.submit(_one, kind, text=False).result()
            single, peak = alone.submit(_one, kind, text=True).result()
        with ProcessPoolExecutor(2) as both:
            together = max(future.result()[0] for future in [both.submit(_one, kind, text=True) for _ in range(2)])
        print(f"{title:<24} {header:>9.3f} {single:>12.2f} {peak:>8.0f} {2 * single / together:>17.2f}", flush=True)


def main(folder: Path) -> None:
    """Compare the tools, then time the stage."""
    with tempfile.TemporaryDirectory() as work:
        compare(folder, Path(work))
    stage()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
