"""Times ridge regressions by himalaya, scikit-learn and Fusiform on the same arrays, in turn, two threads each.

    python tests/peers/ridge.py target/release/fusiform FOLDER [ridge|banded|decode …]

FOLDER holds SET_X_train.npy, SET_Y_train.npy, SET_X_test.npy and SET_Y_test.npy of the sets enc2k (2000 x 768 -> 20000),
banded (1000 x 1000 -> 5000) and nsd (9000 x 1024 -> 15724). Every run is a process of its own, so that peaks of memory
are its own. Centring and reading are not timed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

THREADS = 2
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = str(THREADS)

PEER = """
import json, resource, sys, time, warnings
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
z = lambda a: (a - a.mean(0)) / a.std(0)
r2 = 1 - ((yt - said) ** 2).sum(0) / ((yt - yt.mean(0)) ** 2).sum(0)
print(json.dumps(dict(seconds=seconds, cpu_s=cpu, peak_mib=peak(), mean_r=float((z(said) * z(yt)).mean()), mean_r2=float(r2.mean()))))
"""


def run(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def main():
    program, folder = sys.argv[1:3]
    tasks = sys.argv[3:] or ["ridge", "banded", "decode"]
    import numpy as np

    with tempfile.TemporaryDirectory() as scratch:
        gammas = Path(scratch) / "gammas.npy"
        draws = np.random.RandomState(0).dirichlet([1.0, 1.0], 4).astype("f4")
        draws[0] = 0.5
        np.save(gammas, draws)
        ours = {
            "ridge": ["ridge", folder, "--set", "enc2k"],
            "banded": ["banded", folder, "--set", "banded", "--weights", str(gammas)],
            "decode": ["decode-ridge", folder, "--set", "nsd"],
        }
        for task in tasks:
            rows = {"peer": [], "fusiform": []}
            for _ in range(3 if task == "decode" else 5):
                rows["peer"].append(run([sys.executable, "-c", PEER, task, folder, str(gammas)]))
                found = run([program, "bench", *ours[task], "--reps", "1", "--json"])
                rows["fusiform"].append({**found, **found["quality"]})
            print(task)
            for name, all_of in rows.items():
                mid = {k: statistics.median(r[k] for r in all_of) for k in ("seconds", "cpu_s", "peak_mib")}
                last = all_of[-1]
                extra = {k: round(last[k], 3) for k in ("share_of_gemm_rate", "gemm_gflops", "needed_gflop") if k in last}
                print(
                    f"  {name:9} {mid['seconds']:7.2f} s {mid['cpu_s']:7.2f} cpu s {mid['peak_mib']:6.0f} MiB"
                    f"  r {last['mean_r']:.5f} R2 {last['mean_r2']:.5f} {extra or ''}"
                )


main()
