"""Times one static four-view figure by nilearn (matplotlib) and by Fusiform, each as a program of its own, in turn.

    python tests/peers/figure.py target/release/fusiform FOLDER [DPI] [OUT]

FOLDER holds fsaverage5/ (GIFTI) and image_10426.nii.gz; DPI (default 300) is that of both figures, 183 mm wide; they are
written to OUT (default: a temporary folder).
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NILEARN = """
import sys
from pathlib import Path
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
from nilearn import plotting, surface
folder, out, dpi = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
surfaces = folder / "fsaverage5"
figure, axes = plt.subplots(2, 2, figsize=(7.2, 5.8), subplot_kw={"projection": "3d"})
for column, side in enumerate(("left", "right")):
    mesh = lambda kind: str(surfaces / f"{kind}_{side}.gii.gz")
    values = surface.vol_to_surf(
        str(folder / "image_10426.nii.gz"), mesh("pial"), kind="depth", inner_mesh=mesh("white"), n_samples=5
    )
    for row, view in enumerate(("lateral", "medial")):
        plotting.plot_surf_stat_map(
            mesh("infl"), values, hemi=side, view=view, threshold=3.0, vmax=8.0, bg_map=mesh("sulc"),
            colorbar=(row, column) == (1, 1), axes=axes[row, column], figure=figure, title=f"{side} {view}",
        )
figure.savefig(out, dpi=dpi)
"""

program, folder = sys.argv[1], sys.argv[2]
dpi = sys.argv[3] if len(sys.argv) > 3 else "300"
out = Path(sys.argv[4] if len(sys.argv) > 4 else tempfile.mkdtemp())
ours = [
    program, "-q", "render", "--surfaces", f"{folder}/fsaverage5", "--map", f"{folder}/image_10426.nii.gz",
    "--threshold", "3", "--max", "8", "--label", "t", "--dpi", dpi, "-o", str(out / "fusiform.png"),
]
# As nilearn does it, and with voxels kept visible, which is the default.
ours = {"fusiform, map at vertices": [*ours, "--sample", "vertex"], "fusiform, map at pixels": ours}
theirs = [sys.executable, "-W", "ignore", "-c", NILEARN, folder, str(out / "nilearn.png"), dpi]
commands = {"nilearn": theirs, **ours}
seconds = {name: [] for name in commands}
for _ in range(5):
    for name, command in commands.items():
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds[name].append(time.perf_counter() - start)
nilearn = statistics.median(seconds["nilearn"])
print(f"four views at {dpi} pixels an inch, start-up included, median of 5:")
for name, all_seconds in seconds.items():
    median = statistics.median(all_seconds)
    print(f"  {name}: {median:.2f} s, {nilearn / median:.1f} times as fast as nilearn")
