"""Times volumes put on fsaverage5 by nilearn and by Fusiform, in turn, in one run.

    python tests/peers/project.py target/release/fusiform FOLDER [N_VOLUMES]

FOLDER holds fsaverage5/ (GIFTI) and image_10426.nii.gz.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
from nilearn.surface import load_surf_mesh, vol_to_surf

program, folder = sys.argv[1], Path(sys.argv[2])
n_volumes = int(sys.argv[3]) if len(sys.argv) > 3 else 50
image = nibabel.load(folder / "image_10426.nii.gz")
volume = image.get_fdata(dtype=np.float32)
series = nibabel.Nifti1Image(np.repeat(volume[..., None], n_volumes, axis=3), image.affine)
surfaces = folder / "fsaverage5"
pairs = [
    [load_surf_mesh(surfaces / f"{kind}_{side}.gii.gz") for kind in ("pial", "white")]
    for side in ("left", "right")
]
theirs, ours, means = [], [], []
for _ in range(5):
    start = time.perf_counter()
    maps = [vol_to_surf(series, pial, kind="depth", inner_mesh=white) for pial, white in pairs]
    theirs.append(time.perf_counter() - start)
    command = [program, "bench", "project", folder / "image_10426.nii.gz", surfaces]
    command += ["--volumes", str(n_volumes), "--reps", "1", "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    ours.append(found["seconds"])
    means.append((float(np.nanmean(np.concatenate(maps))), found["quality"]["mean"]))
nilearn, fusiform = statistics.median(theirs), statistics.median(ours)
print(f"{n_volumes} volumes: nilearn {nilearn:.3f} s, fusiform {fusiform:.4f} s, {nilearn / fusiform:.1f} times")
print("means:", means[-1])
