"""What nibabel reads from the files named, for the tests in nibabel.rs.

    python as_nibabel_reads.py OUT FILE...

Prints one JSON object a file and writes its values, scaled, i fastest, as little-endian
float64 to OUT/0, OUT/1, ... Colours become luminance by the weights of Rec. 709, complex
numbers their magnitude.
"""

import json
import logging
import pathlib
import sys
import warnings

import nibabel as nib
import numpy as np

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def plain(data):
    if data.dtype.names:
        red, green, blue = (data[c].astype(np.float64) for c in "RGB")
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return np.abs(data) if data.dtype.kind == "c" else data


def look(path):
    if path.suffix == ".npy":
        data = np.load(path)
        return {"shape": data.shape}, data.ravel()
    image = nib.load(path)
    if isinstance(image, nib.GiftiImage):
        arrays = [a.data for a in image.darrays]
        names = {str(k): v for k, v in image.labeltable.get_labels_as_dict().items()}
        said = {
            "shape": [a.shape for a in arrays],
            "intents": [a.intent for a in image.darrays],
            "names": names,
        }
        return said, np.concatenate([a.ravel() for a in arrays])
    header = image.header
    said = {
        "shape": image.shape,
        "affine": image.affine.tolist(),
        "stored": header.get_data_dtype().name,
        "version": 2 if isinstance(header, nib.Nifti2Header) else 1,
        "scaling": [image.dataobj.slope, image.dataobj.inter],
        "forms": [int(header["qform_code"]), int(header["sform_code"])],
        "qform": header.get_qform().tolist(),
        "zooms": [float(z) for z in header.get_zooms()],
        "units": header.get_xyzt_units(),
        "extensions": [[e.get_code(), e.get_sizeondisk()] for e in header.extensions],
    }
    return said, plain(np.asanyarray(image.dataobj)).ravel(order="F")


out = pathlib.Path(sys.argv[1])
for n, name in enumerate(sys.argv[2:]):
    try:
        said, values = look(pathlib.Path(name))
        values.astype("<f8").tofile(out / str(n))
    except Exception as error:
        said = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said))
