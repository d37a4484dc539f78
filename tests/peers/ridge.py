"""Times ridge regressions by himalaya, scikit-learn and Fusiform on the same arrays, in turn, two threads each.

    pip install numpy himalaya scikit-learn
    python tests/peers/ridge.py target/release/fusiform FOLDER [ridge|banded|decode|encode-nsd|decode-search] [REPS]

FOLDER holds SET_X_train.npy, SET_Y_train.npy, SET_X_test.npy and SET_Y_test.npy of the sets enc2k (2000 x 768 -> 20000),
banded (1000 x 1000 -> 5000) and nsd (9000 x 1024 -> 15724); sets that are not there are made with fixed seeds (enc2k
0.2 GB, nsd 0.7 GB). Every run is a process of its own, so that peaks of memory are its own. Medians of REPS (5) are
printed. Centring and reading are not timed. "needed" is what the inputs and the predictions take, "peak" what the whole
process takes. Work of others on the machine lengthens seconds on the wall; CPU seconds suffer less.

encode-nsd and decode-search run Fusiform alone, once: searches at the size of the Natural Scenes Dataset.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

THREADS = 2
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(THREADS)

import numpy as np  # noqa: E402  (after the number of threads is set)

# Rows to fit, features, targets, rows to predict.
SETS = {"enc2k": (2000, 768, 20000, 500), "banded": (1000, 1000, 5000, 250), "nsd": (9000, 1024, 15724, 1000)}
SET_OF = {"ridge": "enc2k", "banded": "banded", "decode": "nsd", "encode-nsd": "nsd", "decode-search": "nsd"}

PEER = """
import json, sys, time, warnings
import numpy as np
warnings.filterwarnings("ignore")
task, folder, gammas = sys.argv[1:4]
ALPHAS = np.logspace(-1, 8, 10).astype("f4")
def load(tag, decode=False):
    x, y, xt, yt = (np.load(f"{folder}/{tag}_{k}.npy") for k in ("X_train", "Y_train", "X_test", "Y_test"))
    if decode:
        x, y, xt, yt = y, np.ascontiguousarray(x[:, :768]), yt, np.ascontiguousarray(xt[:, :768])
    xm, ym = x.mean(0), y.mean(0)
    x -= xm; xt -= xm; y -= ym; yt -= ym
    return x, y, xt, yt
def reset():
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
if task == "decode":
    from sklearn.linear_model import Ridge
    x, y, xt, yt = load("nsd", True)
    fit = lambda: Ridge(alpha=1e5, fit_intercept=False, solver="auto").fit(x, y).predict(xt)
else:
    from himalaya.backend import set_backend
    from himalaya.kernel_ridge import MultipleKernelRidgeCV
    from himalaya.ridge import RidgeCV
    from sklearn.model_selection import KFold
    set_backend("numpy")
    if task == "ridge":
        x, y, xt, yt = load("enc2k")
        def fit():
            options = dict(n_targets_batch=2000, warn=False)
            return RidgeCV(alphas=ALPHAS, cv=KFold(5), solver_params=options).fit(x, y).predict(xt)
    else:
        x, y, xt, yt = load("banded")
        kernels = np.stack([x[:, :500] @ x[:, :500].T, x[:, 500:] @ x[:, 500:].T])
        across = np.stack([xt[:, :500] @ x[:, :500].T, xt[:, 500:] @ x[:, 500:].T])
        weights = np.load(gammas)
        def fit():
            options = dict(n_iter=weights, alphas=ALPHAS, progress_bar=False)
            model = MultipleKernelRidgeCV(kernels="precomputed", cv=KFold(5), solver_params=options)
            return model.fit(kernels, y).predict(across)
reset()
start, cpu = time.perf_counter(), time.process_time()
said = fit()
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
highest = peak()
z = lambda a: (a - a.mean(0)) / a.std(0)
r2 = 1 - ((yt - said) ** 2).sum(0) / ((yt - yt.mean(0)) ** 2).sum(0)
print(json.dumps(dict(seconds=seconds, cpu_s=cpu, peak_mib=highest, mean_r=float((z(said) * z(yt)).mean()), mean_r2=float(r2.mean()))))
"""


def make(folder, name):
    """Features with a falling spectrum (two independent halves for the banded set), targets that are sums of them, and noise."""
    paths = [folder / f"{name}_{part}.npy" for part in ("X_train", "Y_train", "X_test", "Y_test")]
    if all(path.exists() for path in paths):
        return
    folder.mkdir(parents=True, exist_ok=True)
    n, p, t, n_test = SETS[name]
    rng = np.random.default_rng(list(SETS).index(name))
    normal = lambda *shape: rng.standard_normal(shape, dtype="f4")
    x = normal(n + n_test, p)
    if name == "banded":
        share = rng.uniform(0, 1, t).astype("f4")
        signal = share * (x[:, : p // 2] @ normal(p // 2, t)) + (1 - share) * 0.6 * (x[:, p // 2 :] @ normal(p - p // 2, t))
        gain = np.full(t, 0.7, "f4")
    else:
        x = (x * np.arange(1, p + 1, dtype="f4") ** -0.5) @ np.linalg.qr(normal(p, p))[0]
        x /= x.std(0)
        signal = x @ normal(p, t)
        gain = rng.uniform(0, 0.6, t).astype("f4")
    signal *= gain / signal.std(0)
    for row in signal:
        row += np.sqrt(1 - gain**2) * normal(t)
    for path, part in zip(paths, (x[:n], signal[:n], x[n:], signal[n:]), strict=True):
        np.save(path, np.ascontiguousarray(part))


def needed_mib(task):
    """Inputs and predictions."""
    n, p, t, n_test = SETS[SET_OF[task]]
    if task.startswith("decode"):
        p, t = t, 768
    return 4 * ((n + n_test) * (p + t) + n_test * t) / 2**20


def run(command):
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed: {done.stderr.decode()}")
    return json.loads(done.stdout)


def show(task, rows):
    print(f"{task}: medians of {len(next(iter(rows.values())))}, needed {needed_mib(task):.0f} MiB", flush=True)
    for name, all_of in rows.items():
        mid = {k: statistics.median(r[k] for r in all_of) for k in ("seconds", "cpu_s", "peak_mib")}
        last = all_of[-1]
        extra = ", ".join(f"{k} {last[k]:.3g}" for k in ("share_of_gemm_rate", "gemm_gflops", "needed_gflop") if k in last)
        print(
            f"  {name:9} {mid['seconds']:7.2f} s {mid['cpu_s']:7.2f} cpu s {mid['peak_mib']:6.0f} MiB"
            f" ({mid['peak_mib'] / needed_mib(task):.2f} x needed)"
            f"  r {last['mean_r']:.5f} R2 {last['mean_r2']:.5f}  {extra}",
            flush=True,
        )
    if len(rows) > 1:
        peer, ours = (statistics.median(r["seconds"] for r in rows[k]) for k in ("peer", "fusiform"))
        print(f"  {peer / ours:.2f} times as fast as the peer", flush=True)


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    reps = [int(a) for a in sys.argv[3:] if a.isdigit()]
    tasks = [a for a in sys.argv[3:] if not a.isdigit()] or ["ridge", "banded", "decode"]
    for task in tasks:
        make(folder, SET_OF[task])
    with tempfile.TemporaryDirectory() as scratch:
        gammas = os.path.join(scratch, "gammas.npy")
        draws = np.random.RandomState(0).dirichlet([1.0, 1.0], 4).astype("f4")
        draws[0] = 0.5
        np.save(gammas, draws)
        ours = {
            "ridge": ["ridge", folder, "--set", "enc2k"],
            "banded": ["banded", folder, "--set", "banded", "--weights", gammas],
            "decode": ["decode-ridge", folder, "--set", "nsd"],
            "encode-nsd": ["ridge", folder, "--set", "nsd"],
            "decode-search": ["decode-ridge", folder, "--set", "nsd", "--search"],
        }
        for task in tasks:
            alone = task in ("encode-nsd", "decode-search")
            rows = {"fusiform": []} if alone else {"peer": [], "fusiform": []}
            for _ in range(1 if alone else (reps or [5])[0]):
                if not alone:
                    rows["peer"].append(run([sys.executable, "-c", PEER, task, str(folder), gammas]))
                found = run([program, "bench", *map(str, ours[task]), "--reps", "1", "--json"])
                rows["fusiform"].append({**found, **found["quality"]})
            show(task, rows)


main()
