"""Times `fusiform bench permute` and `fusiform bench two-sample` beside nilearn, scikit-learn, scipy and numpy.

    pip install numpy scipy scikit-learn nilearn
    python tests/peers/selection.py target/release/fusiform FOLDER [REPS] [THREADS]

Makes sel_X.npy (400 trials x 200 000 voxels, f32, 320 MB, a difference of half a standard
deviation in the first 2000) and sel_y.npy in FOLDER unless they are there, then runs every program
in turn, REPS times round (5), each in a process of its own with THREADS threads (2). Reading the
files is not timed. Printed are medians of seconds on the wall and of CPU seconds, the peak of
memory, and figures of the result in which all must agree. The limits are measured by Fusiform in
the same process as its own time: the product of the data with as many labellings, and reading the
data once.
"""

import contextlib
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

PERMUTED_VOXELS = 20_000
PERMUTATIONS = 1000


def make(folder):
    import numpy as np

    if (folder / "sel_X.npy").exists() and (folder / "sel_y.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(109)
    labels = (np.arange(400) % 2).astype(np.int32)
    values = rng.standard_normal((400, 200_000), dtype=np.float32)
    values[:, :2000] += 0.5 * labels[:, None].astype(np.float32)
    np.save(folder / "sel_X.npy", values)
    np.save(folder / "sel_y.npy", labels)


def arrays(folder, n_columns=None):
    import numpy as np

    values = np.load(folder / "sel_X.npy", mmap_mode="r")[:, :n_columns]
    return np.array(values), np.load(folder / "sel_y.npy")


# Each peer reads what it needs before it is timed, and gives back what to time; that gives back
# figures of the result, worked out after the clock has stopped.


def of_map(values):
    import numpy as np

    values = np.abs(np.asarray(values, np.float64))
    top = np.argsort(-values)[:2000]
    return {
        "sum": float(f"{values.sum():.5g}"),
        "max": float(f"{values.max():.4g}"),
        "planted of 2000": float((top < 2000).mean()),
    }


def of_permutations(t, largest):
    import numpy as np

    t = np.abs(np.asarray(t, np.float64))
    threshold = float(np.quantile(largest, 0.95))
    return {
        "max": float(f"{t.max():.4g}"),
        "threshold": round(threshold, 2),
        "beyond": int((t > threshold).sum()),
    }


def permuted_ols(folder, threads):
    from nilearn.mass_univariate import permuted_ols

    values, labels = arrays(folder, PERMUTED_VOXELS)
    labels = labels.astype(float)[:, None]

    def run():
        found = permuted_ols(
            labels,
            values,
            model_intercept=True,
            n_perm=PERMUTATIONS,
            two_sided_test=True,
            random_state=0,
            n_jobs=threads,
            output_type="dict",
        )
        return lambda: of_permutations(found["t"][0], found["h0_max_t"].ravel())

    return run


def numpy_permutations(folder, _threads):
    import numpy as np

    values, labels = arrays(folder, PERMUTED_VOXELS)

    def run():
        rng = np.random.default_rng(0)
        scaled = values - values.mean(0)
        scaled /= np.sqrt(np.einsum("ij,ij->j", scaled, scaled))
        label = labels - labels.mean(dtype=np.float32)
        label = (label / np.linalg.norm(label)).astype(np.float32)
        all_labels = np.stack([label] + [rng.permutation(label) for _ in range(PERMUTATIONS)])
        r = all_labels @ scaled
        t = r[0] * np.sqrt(398 / (1 - r[0] ** 2))
        highest = np.abs(r[1:]).max(1)
        return lambda: of_permutations(t, highest * np.sqrt(398 / (1 - highest**2)))

    return run


def f_classif(folder, _threads):
    import numpy as np
    from sklearn.feature_selection import f_classif

    values, labels = arrays(folder)

    def run():
        found = f_classif(values, labels)[0]
        return lambda: of_map(np.sqrt(np.maximum(found, 0)))

    return run


def welch(folder, _threads):
    from scipy.stats import ttest_ind

    values, labels = arrays(folder)

    def run():
        found = ttest_ind(values[labels == 1], values[labels == 0], equal_var=False).statistic
        return lambda: of_map(found)

    return run


def numpy_welch(folder, _threads):
    import numpy as np

    values, labels = arrays(folder)

    def run():
        ones = np.stack([labels == 0, labels == 1]).astype(np.float32)
        n = ones.sum(1)[:, None]
        mean = ones @ values / n
        variance = (ones @ (values * values) / n - mean * mean) / (n - 1)
        found = (mean[1] - mean[0]) / np.sqrt(variance.sum(0))
        return lambda: of_map(found)

    return run


TASKS = {
    "max-T, 400 x 20 000, 1000 permutations": {
        "nilearn.permuted_ols": permuted_ols,
        "numpy, one product": numpy_permutations,
        "fusiform": ["permute", "--columns", str(PERMUTED_VOXELS)],
    },
    "map of t, 400 x 200 000": {
        "sklearn.f_classif (pooled)": f_classif,
        "scipy.ttest_ind (Welch)": welch,
        "numpy, two products (Welch)": numpy_welch,
        "fusiform (Welch)": ["two-sample", "--measure", "welch"],
        "fusiform (Welch, with p)": ["two-sample", "--measure", "welch", "--p"],
    },
}


def status_mib(key):
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return None


def one_peer(task, peer, folder, threads):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run = TASKS[task][peer](folder, threads)
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/clear_refs").write_text("5")
        wall, cpu = time.perf_counter(), time.process_time()
        figure = run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = status_mib("VmHWM:")
        figure = figure()
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "figure": figure}))


def fusiform(program, arguments, folder):
    kernel, *options = arguments
    files = [str(folder / "sel_X.npy"), str(folder / "sel_y.npy")]
    command = [program, "bench", kernel, *files, *options, "--reps", "1", "--json", "--quiet"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    quality = said["quality"]
    figure = (
        {
            "max": float(f"{quality['max_t']:.4g}"),
            "threshold": round(quality["thr95"], 2),
            "beyond": quality["n_sig"],
        }
        if kernel == "permute"
        else {
            "sum": float(f"{quality['sum_abs']:.5g}"),
            "max": float(f"{quality['max']:.4g}"),
            "planted of 2000": quality["top2000_precision"],
        }
    )
    return {
        "wall": said["seconds"],
        "cpu": said["cpu_s"],
        "peak": said["peak_mib"],
        "limit": said["limit_seconds"],
        "input": quality["input_mib"],
        "figure": figure,
    }


def main(program, folder, reps, threads):
    make(folder)
    names = ("OMP", "OPENBLAS", "MKL", "RAYON")
    os.environ.update({f"{name}_NUM_THREADS": str(threads) for name in names})
    for task, peers in TASKS.items():
        found = {peer: [] for peer in peers}
        for _ in range(reps):
            for peer, how in peers.items():
                if isinstance(how, list):
                    found[peer].append(fusiform(program, how, folder))
                    continue
                command = [sys.executable, __file__, "--peer", task, peer, folder, str(threads)]
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found[peer].append(json.loads(said.splitlines()[-1]))
        print(f"\n{task}, {threads} threads, medians of {reps}")
        print(f"{'':30}{'wall s':>9}{'least':>9}{'CPU s':>9}{'peak MiB':>10}  result")
        middle = {}
        for peer, times in found.items():
            of = lambda key: statistics.median(one[key] for one in times)
            middle[peer] = of("wall")
            least = min(one["wall"] for one in times)
            line = f"{peer:30}{of('wall'):>9.3f}{least:>9.3f}{of('cpu'):>9.2f}{of('peak'):>10.0f}"
            print(line, " ", times[-1]["figure"])
            if "limit" in times[0]:
                ratios = statistics.median(one["wall"] / one["limit"] for one in times)
                share = statistics.median(one["peak"] / one["input"] for one in times)
                print(
                    f"{'':30}{of('limit'):>9.3f} the limit: {ratios:.2f} times it; "
                    f"peak {share:.2f} times what was held before"
                )
        first = next(iter(middle))
        for peer, seconds in middle.items():
            if peer != first:
                print(f"{first} takes {middle[first] / seconds:.1f} times as long as {peer}")


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        one_peer(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]), int(sys.argv[5]))
    else:
        main(
            sys.argv[1],
            pathlib.Path(sys.argv[2]),
            int(sys.argv[3]) if len(sys.argv) > 3 else 5,
            int(sys.argv[4]) if len(sys.argv) > 4 else 2,
        )
