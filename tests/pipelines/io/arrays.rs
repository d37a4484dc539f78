//! MATLAB and HDF5 arrays against scipy and h5py (`tests/fixtures/mat.py`).

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::array::{self, Address, Array, Order};
use fusiform_pipelines::io::{hdf5, mat};

use super::{fixture, numbers, refusal};

fn at(name: &str) -> PathBuf {
    fixture("mat").join(name)
}

fn read(path: &Path, name: &str) -> Array {
    if hdf5::is_hdf5(path).unwrap() {
        hdf5::open(path)
            .unwrap()
            .array(name)
            .unwrap()
            .read()
            .unwrap()
    } else {
        mat::read(path, name).unwrap()
    }
}

/// The values with the last index fastest, picked one by one.
fn in_c_order(array: &Array) -> Vec<f32> {
    let n: usize = array.shape.iter().product();
    let pick = |mut flat: usize| {
        let mut index = vec![0; array.shape.len()];
        for (i, &size) in index.iter_mut().zip(&array.shape).rev() {
            *i = flat % size;
            flat /= size;
        }
        let strides = array.shape.iter().scan(1, |stride, &size| {
            let here = *stride;
            *stride *= size;
            Some(here)
        });
        array.values[index
            .iter()
            .zip(strides)
            .map(|(i, stride)| i * stride)
            .sum::<usize>()]
    };
    match array.order {
        Order::LastFastest => array.values.clone(),
        Order::FirstFastest => (0..n).map(pick).collect(),
    }
}

#[test]
fn arrays_are_what_scipy_and_h5py_read() {
    let text = std::fs::read_to_string(at("expected.json")).unwrap();
    let files: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut n_arrays = 0;
    for (file, arrays) in &files {
        for (name, expected) in arrays.as_object().unwrap() {
            let array = read(&at(file), name);
            let shape: Vec<f64> = array.shape.iter().map(|&n| n as f64).collect();
            assert_eq!(shape, numbers(&expected["shape"]), "{file}:{name}");
            let values: Vec<f32> = numbers(&expected["values"])
                .iter()
                .map(|&v| v as f32)
                .collect();
            assert_eq!(in_c_order(&array), values, "{file}:{name}");
            n_arrays += 1;
        }
    }
    assert_eq!(n_arrays, 27);
}

#[test]
fn a_matrix_is_the_same_through_every_door() {
    let mut assumptions = Vec::new();
    let mut get = |text: &str| {
        let Address { path, name } = Address::parse(text);
        array::read(
            &Address {
                path: at(&path.to_string_lossy()),
                name,
            },
            &mut assumptions,
        )
    };
    let first = get("plain.mat:betas").unwrap();
    assert_eq!((first.n_rows, first.n_cols), (4, 3));
    for same in [
        "packed.mat:betas",
        "big.mat:b",
        "v73.mat:betas",
        "arrays.h5:betas",
    ] {
        assert_eq!(get(same).unwrap(), first, "{same}");
    }
    // A file with a single array needs no name.
    assert_eq!(get("latest.h5").unwrap(), first);
    assert_eq!(assumptions.len(), 1, "{assumptions:?}");
    assert!(assumptions[0].contains("v73.mat") && assumptions[0].contains("reverse"));
}

#[test]
fn an_address_is_a_file_and_perhaps_a_name() {
    let parts = |text: &str| {
        let address = Address::parse(text);
        (address.path.to_string_lossy().into_owned(), address.name)
    };
    assert_eq!(
        parts("a/x.mat:b"),
        ("a/x.mat".to_owned(), Some("b".to_owned()))
    );
    assert_eq!(
        parts("x.H5:g/b"),
        ("x.H5".to_owned(), Some("g/b".to_owned()))
    );
    assert_eq!(parts("x.mat"), ("x.mat".to_owned(), None));
    assert_eq!(parts("C:\\x.npy"), ("C:\\x.npy".to_owned(), None));
    assert_eq!(parts("odd:name.npy"), ("odd:name.npy".to_owned(), None));
}

#[test]
fn blocks_are_parts_of_the_whole() {
    let file = hdf5::open(&at("arrays.h5")).unwrap();
    let cube = file.array("cube").unwrap();
    assert_eq!(
        (cube.dims(), cube.datatype().as_str()),
        ([2, 3, 4].as_slice(), "uint8")
    );
    let all = cube.read().unwrap().values;
    let part = cube.block(&[1..2, 0..3, 2..4]).unwrap();
    let expected: Vec<f32> = (0..3)
        .flat_map(|j| [all[12 + 4 * j + 2], all[12 + 4 * j + 3]])
        .collect();
    assert_eq!(part, expected);
    assert_eq!(cube.block(&[1..1, 0..3, 2..4]).unwrap(), Vec::<f32>::new());
    let outside = refusal(&at("arrays.h5"), cube.block(&[0..2, 0..3, 2..5]));
    assert!(outside.contains("2 × 3 × 4"), "{outside}");
}

#[test]
fn what_is_not_there_or_no_numbers_is_said() {
    let says = |text: &str, parts: &[&str]| {
        let Address { path, name } = Address::parse(text);
        let path = at(&path.to_string_lossy());
        let message = refusal(
            &path,
            array::read(
                &Address {
                    path: path.clone(),
                    name,
                },
                &mut Vec::new(),
            ),
        );
        for part in parts {
            assert!(message.contains(part), "“{message}” does not say “{part}”");
        }
    };
    says(
        "plain.mat:beta",
        &["no array “beta”", "betas (4 × 3 double)", "design.deep.x"],
    );
    says(
        "arrays.h5:group/none",
        &["group/packed (4 × 3 float32)", "betas (4 × 3 float64)"],
    );
    says("v73.mat:none", &["counts (2 × 5 int16)", "s/order"]);
    says("packed.mat", &["several arrays", ":NAME", "counts"]);
    says("packed.mat:words", &["holds text"]);
    says("packed.mat:complex", &["complex"]);
    says("packed.mat:cube", &["3 dimensions", "2 × 3 × 4"]);
    says("arrays.h5:words", &["holds text"]);
    says("nothing.mat:x", &["no such file"]);
}
