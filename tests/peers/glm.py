"""Times the t map of a linear model of time courses by nilearn and by Fusiform, in turn, in one run.

    pip install numpy nilearn
    python tests/peers/glm.py target/release/fusiform FOLDER [REPS]

FOLDER holds glm_X.npy (volumes x columns, the last one constant) and glm_Y.npy (volumes x voxels),
float32; they are made there (60 MB, fixed seed) unless they are: 300 volumes, 20 columns, 50 000
voxels with noise that carries over from volume to volume, of which the first half do not respond to
the first column. Every program runs in a process of its own with two threads, REPS times round (5).
Printed are medians: seconds on the wall, CPU seconds (user and system, all cores), the peak of memory
in MiB and as a multiple of inputs and outputs (f32), and figures of the result that must agree.
"the two products" are XᵀY and XB by numpy's BLAS: what ordinary least squares cannot do without.
Inputs are read before the clock starts; memory counts everything the process holds.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

THREADS = "2"
SHAPE = (300, 50_000)


def make(folder):
    import numpy as np

    if (folder / "glm_X.npy").exists() and (folder / "glm_Y.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(5)
    n, voxels = SHAPE
    since = np.arange(30)
    response = since**5 * np.exp(-since) / 120 - since**15 * np.exp(-since) / 7.8e12
    shown = rng.random((n, 8)) < 0.06
    tasks = np.stack([np.convolve(s, response)[:n] for s in shown.T.astype(float)], 1)
    motion = np.cumsum(rng.standard_normal((n, 6)), 0)
    motion = (motion - motion.mean(0)) / motion.std(0)
    waves = [np.cos(np.pi * k * (np.arange(n) + 0.5) / n) for k in range(1, 6)]
    design = np.column_stack([tasks, motion, *waves, np.ones(n)]).astype("f4")
    carried = rng.uniform(0, 0.6, voxels).astype("f4")
    noise = rng.standard_normal((n, voxels), dtype="f4")
    for t in range(1, n):
        noise[t] = carried * noise[t - 1] + np.sqrt(1 - carried**2) * noise[t]
    heights = rng.standard_normal((design.shape[1], voxels), dtype="f4")
    heights[0] = np.where(np.arange(voxels) < voxels // 2, 0, 2)
    np.save(folder / "glm_X.npy", design)
    np.save(folder / "glm_Y.npy", design @ heights + 2 * noise + 100)


def figures(t):
    import numpy as np

    t = np.asarray(t, float).ravel()
    half = len(t) // 2
    return {
        "mean_null_abs_t": float(np.abs(t[:half]).mean()),
        "mean_effect_t": float(t[half:].mean()),
    }


def nilearn(noise):
    def prepare(x, y):
        import numpy as np
        from nilearn.glm.contrasts import compute_contrast
        from nilearn.glm.first_level import run_glm

        x, first = x.astype(float), np.eye(x.shape[1])[0]

        def run():
            labels, fits = run_glm(y, x, noise_model=noise, n_jobs=int(THREADS), random_state=0)
            return compute_contrast(labels, fits, first, stat_type="t").stat()

        return run

    return prepare


def two_products(x, y):
    import numpy as np

    weights = np.zeros((x.shape[1], y.shape[1]), "f4")

    def run():
        x.T @ y
        x @ weights
        return None

    return run


PEERS = {
    "the two products (numpy)": two_products,
    "nilearn ols": nilearn("ols"),
    "fusiform ols": "ols",
    "nilearn ar1": nilearn("ar1"),
    "fusiform ar1": "ar1",
}


def peak_mib():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def one_peer(name, folder):
    import warnings

    import numpy as np

    warnings.filterwarnings("ignore")
    run = PEERS[name](np.load(folder / "glm_X.npy"), np.load(folder / "glm_Y.npy"))
    if name.startswith("the two"):
        run()  # the first call starts threads and gets pages
    wall, cpu = time.perf_counter(), time.process_time()
    t = run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = peak_mib()
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "figures": {} if t is None else figures(t)}))


def fusiform(program, noise, folder):
    command = [program, "bench", "glm", folder / "glm_X.npy", folder / "glm_Y.npy"]
    command += ["--noise", noise, "--reps", "1", "--json", "--quiet"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    quality = said["quality"]
    return {
        "wall": said["seconds"],
        "cpu": said["cpu_s"],
        "peak": said["peak_mib"],
        "limit": said["limit_seconds"],
        "figures": {k: quality[k] for k in ("mean_null_abs_t", "mean_effect_t")},
    }


def main(program, folder, reps):
    import numpy as np

    make(folder)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = THREADS
    x, y = (np.load(folder / f"glm_{name}.npy", mmap_mode="r") for name in "XY")
    # In: design and data. Out: weights and one t a voxel.
    needed = 4 * (x.size + y.size + (x.shape[1] + 1) * y.shape[1]) / 2**20
    print(f"{y.shape[0]} volumes x {y.shape[1]} voxels, {x.shape[1]} columns, {reps} rounds; inputs and outputs {needed:.0f} MiB")
    found = {name: [] for name in PEERS}
    for _ in range(reps):
        for name, how in PEERS.items():
            if isinstance(how, str):
                found[name].append(fusiform(program, how, folder))
                continue
            command = [sys.executable, __file__, "--peer", name, str(folder)]
            said = subprocess.run(command, check=True, capture_output=True).stdout
            found[name].append(json.loads(said))
    middle = {name: {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "peak")} for name, runs in found.items()}
    print(f"{'':28}{'wall s':>9}{'least':>9}{'CPU s':>9}{'peak MiB':>10}{'of needed':>11}  figures")
    for name, runs in found.items():
        m, least = middle[name], min(run["wall"] for run in runs)
        said = "  ".join(f"{k} {v:.5f}" for k, v in runs[0]["figures"].items())
        print(f"{name:28}{m['wall']:9.4f}{least:9.4f}{m['cpu']:9.3f}{m['peak']:10.0f}{m['peak'] / needed:11.2f}  {said}")
    ratio = lambda a, b: middle[a]["wall"] / middle[b]["wall"]
    own = statistics.median(run["wall"] / run["limit"] for run in found["fusiform ols"])
    print(f"ols: {ratio('fusiform ols', 'the two products (numpy)'):.2f} times numpy's two products, {own:.2f} times our own; nilearn takes {ratio('nilearn ols', 'fusiform ols'):.1f} times as long")
    print(f"ar1: nilearn takes {ratio('nilearn ar1', 'fusiform ar1'):.1f} times as long")


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        one_peer(sys.argv[2], pathlib.Path(sys.argv[3]))
    else:
        rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
        main(sys.argv[1], pathlib.Path(sys.argv[2]), rounds)
