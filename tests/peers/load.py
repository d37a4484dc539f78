"""Times `fusiform bench load|masked|time-course` beside nibabel, nilearn and plain inflaters.

    pip install numpy nibabel nilearn isal deflate zlib-ng
    python tests/peers/load.py target/release/fusiform FOLDER [REPS]

Makes the files it needs in FOLDER (650 MB, fixed seed) unless they are there, then runs every
program in turn, REPS times round (5), each in a process of its own, and prints the median of
seconds on the wall and of CPU seconds (user and system, all cores), the peak of memory, and a
figure of the result in which all must agree. Work of others on the machine lengthens the wall
time of whoever happens to run beside it; CPU seconds suffer less. "cold" means that the file was
dropped from the page cache before.
"""

import contextlib
import gzip
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

VOXEL = (48, 48, 30)
SHAPE = (96, 96, 60, 300)


def make(folder):
    """A run of 96 x 96 x 60 voxels and 300 times, int16 with a slope: a brain-sized ellipsoid of
    smooth signal and noise, weak noise in the air."""
    import nibabel as nib
    import numpy as np

    if all((folder / name).exists() for name in ("bold.nii", "bold.nii.gz", "bold_mask.nii.gz")):
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(101)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n, dtype="f4") for n in SHAPE[:3]), indexing="ij")
    brain = (x / 0.82) ** 2 + (y / 0.92) ** 2 + (z / 0.86) ** 2 < 1
    mean = np.where(brain, 8000 + 1500 * np.cos(5 * x) * np.sin(4 * y + 2 * z), 0)
    affine = np.diag([2.2, 2.2, 2.2, 1.0])
    affine[:3, 3] = [-104.5, -122.5, -46.9]
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape(SHAPE)
    header.set_sform(affine, 1)
    header.set_slope_inter(0.25, 0.0)
    header.set_xyzt_units("mm", "sec")
    header["pixdim"][4] = 1.6
    header["vox_offset"] = 352
    raw = bytearray(header.binaryblock + bytes(4))
    for _ in range(SHAPE[3]):
        noise = rng.standard_normal(SHAPE[:3], dtype="f4") * np.where(brain, 90, 12)
        volume = np.clip(np.rint((mean + noise) * 4), 0, 32767)
        raw += volume.astype("<i2").tobytes(order="F")
    (folder / "bold.nii").write_bytes(raw)
    (folder / "bold.nii.gz").write_bytes(gzip.compress(bytes(raw), 6))
    nib.save(nib.Nifti1Image(brain.astype(np.uint8), affine), folder / "bold_mask.nii.gz")


def drop_from_cache(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def total(values):
    import numpy as np

    return float(np.asarray(values).sum(dtype=np.float64))


# Each peer imports what it needs before it is timed and gives back what to time.


def nibabel_load(folder, ending=".gz"):
    import nibabel as nib
    import numpy as np

    file = folder / f"bold.nii{ending}"
    return lambda: total_of(nib.load(file).get_fdata(dtype=np.float32, caching="unchanged"))


def nibabel_load_plain(folder):
    return nibabel_load(folder, "")


def inflate(module, function):
    def peer(folder):
        import importlib

        one = getattr(importlib.import_module(module), function)
        return lambda: length_of(one((folder / "bold.nii.gz").read_bytes()))

    return peer


def isal_load(folder):
    import numpy as np
    from isal import igzip

    def run():
        raw = igzip.decompress((folder / "bold.nii.gz").read_bytes())
        values = np.frombuffer(raw, "<i2", offset=352).astype(np.float32)
        values *= np.float32(0.25)
        return total_of(values)

    return run


def nilearn_masked(folder):
    from nilearn.maskers import NiftiMasker

    mask, file = str(folder / "bold_mask.nii.gz"), str(folder / "bold.nii.gz")
    return lambda: total_of(
        NiftiMasker(mask_img=mask, standardize=None, reports=False).fit_transform(file)
    )


def nilearn_masked_f32(folder):
    import numpy as np
    from nilearn.maskers import NiftiMasker

    mask, file = str(folder / "bold_mask.nii.gz"), str(folder / "bold.nii.gz")
    return lambda: total_of(
        NiftiMasker(
            mask_img=mask, standardize=None, reports=False, dtype=np.float32
        ).fit_transform(file)
    )


def nibabel_course(folder):
    import nibabel as nib
    import numpy as np

    return lambda: total_of(np.asarray(nib.load(folder / "bold.nii").dataobj[VOXEL], np.float32))


def nibabel_course_cold(folder):
    drop_from_cache(folder / "bold.nii")
    return nibabel_course(folder)


# The figure is worked out after the clock has stopped.


def total_of(values):
    return lambda: total(values)


def length_of(values):
    return lambda: len(values)


TASKS = {
    "load .nii.gz": {
        "nibabel.get_fdata(float32)": nibabel_load,
        "isal + numpy": isal_load,
        "inflate only: libdeflate": inflate("deflate", "gzip_decompress"),
        "inflate only: isal": inflate("isal.igzip", "decompress"),
        "inflate only: zlib-ng": inflate("zlib_ng.gzip_ng", "decompress"),
        "fusiform": ["load", "bold.nii.gz"],
    },
    "load .nii": {
        "nibabel.get_fdata(float32)": nibabel_load_plain,
        "fusiform": ["load", "bold.nii"],
    },
    "masked .nii.gz": {
        "nilearn.NiftiMasker": nilearn_masked,
        "nilearn.NiftiMasker(float32)": nilearn_masked_f32,
        "fusiform": ["masked", "bold.nii.gz", "bold_mask.nii.gz"],
    },
    "time course .nii, warm": {
        "nibabel.dataobj": nibabel_course,
        "fusiform": ["time-course", "bold.nii", ",".join(map(str, VOXEL))],
    },
    "time course .nii, cold": {
        "nibabel.dataobj": nibabel_course_cold,
        "fusiform": ["cold", "bold.nii", ",".join(map(str, VOXEL))],
    },
}


def peak_mib():
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None


def one_peer(task, peer, folder):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run = TASKS[task][peer](folder)
        wall, cpu = time.perf_counter(), time.process_time()
        figure = run()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        peak = peak_mib()
        figure = figure()
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak, "figure": figure}))


def fusiform(program, arguments, folder):
    kernel, *files = arguments
    if kernel == "cold":
        kernel = "time-course"
        drop_from_cache(folder / "bold.nii")
    names = [str(folder / f) if f.startswith("bold") else f for f in files]
    command = [program, "bench", kernel, *names, "--reps", "1", "--json", "--quiet"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return {
        "wall": said["seconds"],
        "cpu": said["cpu_s"],
        "peak": said["peak_mib"],
        "figure": said["quality"]["sum"],
    }


def main(program, folder, reps):
    make(folder)
    for task, peers in TASKS.items():
        found = {peer: [] for peer in peers}
        for _ in range(reps):
            for peer, how in peers.items():
                if isinstance(how, list):
                    found[peer].append(fusiform(program, how, folder))
                    continue
                command = [sys.executable, __file__, "--peer", task, peer, str(folder)]
                said = subprocess.run(command, check=True, capture_output=True).stdout
                found[peer].append(json.loads(said))
        print(f"\n{task}\n{'':32}{'wall s':>9}{'least':>9}{'CPU s':>9}{'peak MiB':>10}  figure")
        for peer, runs in found.items():
            middle = lambda key: statistics.median(run[key] for run in runs)
            least = min(run["wall"] for run in runs)
            print(
                f"{peer:32}{middle('wall'):9.4f}{least:9.4f}{middle('cpu'):9.3f}"
                f"{middle('peak'):10.0f}  {runs[0]['figure']:.9g}",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1] == "--peer":
        one_peer(sys.argv[2], sys.argv[3], pathlib.Path(sys.argv[4]))
    else:
        rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
        main(sys.argv[1], pathlib.Path(sys.argv[2]), rounds)
