//! What a file or folder of weights is said to be, and every way in which it can be wrong.

use std::fs;
use std::path::Path;

use fusiform_pipelines::models::safetensors::header;
use fusiform_pipelines::models::{check, pytorch};

use super::server::{noise, weights};
use crate::io::refusal;

/// A file with this header and so many bytes after it.
fn with_header(text: &str, n_bytes: usize) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.extend(noise(1, n_bytes));
    bytes
}

const TWO: &str = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,3],"data_offsets":[4,16]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#;

#[test]
fn a_header_is_read_in_the_order_of_the_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.safetensors");
    fs::write(&path, with_header(TWO, 16)).unwrap();
    let header = header(&path).unwrap();
    let names: Vec<&str> = header.tensors.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(header.tensors[0].n_values(), 1);
    assert_eq!(
        (header.tensors[1].n_values(), header.tensors[1].len),
        (6, 12)
    );
    assert_eq!(header.tensors[1].offset, 8 + TWO.len() as u64 + 4);
    assert_eq!(header.metadata["format"], "pt");
}

#[test]
fn a_header_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.safetensors");
    let one = |entry: &str| format!(r#"{{"a":{entry}}}"#);
    let deep = "[".repeat(100_000);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "ends after 0 of 8"),
        (with_header(TWO, 15), "ends after"),
        (with_header(TWO, 17), "1 bytes after the last tensor"),
        (u64::MAX.to_le_bytes().to_vec(), "a header of"),
        (noise(5, 64), "a header of"),
        (
            [99_999_999u64.to_le_bytes().as_slice(), b"{}"].concat(),
            "ends after 10 of 100000007",
        ),
        (with_header("{", 0), "no sound safetensors"),
        (with_header("[]", 0), "no sound safetensors"),
        (with_header(&one(&deep), 0), "no sound safetensors"),
        (
            with_header(&TWO.replace("\"b\"", "\"a\""), 16),
            "comes twice",
        ),
        (
            with_header(&TWO.replace("BF16", "FP16"), 16),
            "unknown type",
        ),
        (
            with_header(&TWO.replace("[2,3]", "[2,4]"), 16),
            "12 bytes for the shape [2, 4]",
        ),
        (
            with_header(&TWO.replace("[4,16]", "[2,14]"), 16),
            "starts at byte 2, not 4",
        ),
        (
            with_header(&TWO.replace("[4,16]", "[6,18]"), 18),
            "starts at byte 6, not 4",
        ),
        (
            with_header(&TWO.replace("[0,4]", "[4,0]"), 16),
            "starts at byte 4",
        ),
        (
            with_header(
                &one(r#"{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}"#),
                0,
            ),
            "0 bytes for the shape",
        ),
        (
            with_header(
                &one(r#"{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551615]}"#),
                4,
            ),
            "bytes for the shape",
        ),
        (
            with_header(
                &one(r#"{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}"#),
                4,
            ),
            "no sound",
        ),
        (
            with_header(&one(r#"{"dtype":"F32","shape":[1]}"#), 4),
            "data_offsets",
        ),
        (b"<!DOCTYPE html>\n<html><head>".to_vec(), "a web page"),
        (b"\xef\xbb\xbf  <HTML>".to_vec(), "a web page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n".to_vec(),
            "git-lfs",
        ),
    ];
    for (bytes, said) in cases {
        fs::write(&path, &bytes).unwrap();
        let text = refusal(&path, header(&path));
        assert!(text.contains(said), "{said}: {text}");
        // The same through the door that users take.
        let report = check(&path).unwrap();
        assert_eq!(report.problems.len(), 1);
        assert!(
            report.problems[0].contains(said),
            "{said}: {:?}",
            report.problems
        );
    }
}

#[test]
fn a_sharded_folder_is_whole_or_says_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let shard = |name: &str| {
        let text = format!(r#"{{"{name}":{{"dtype":"F16","shape":[8],"data_offsets":[0,16]}}}}"#);
        with_header(&text, 16)
    };
    let (first, second) = (
        "m-00001-of-00002.safetensors",
        "m-00002-of-00002.safetensors",
    );
    fs::write(
        at("config.json"),
        r#"{"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}"#,
    )
    .unwrap();
    fs::write(at(first), shard("x")).unwrap();
    fs::write(at(second), shard("y")).unwrap();
    let index = format!(r#"{{"weight_map": {{"x": "{first}", "y": "{second}"}}}}"#);
    fs::write(at("m.safetensors.index.json"), &index).unwrap();
    let report = check(folder.path()).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let part = &report.parts[0];
    assert_eq!(part.architecture.as_deref(), Some("GPT2LMHeadModel"));
    assert_eq!((part.tensors.len(), part.values_by_dtype["F16"]), (2, 16));

    let problems = |expected: &[&str]| {
        let report = check(folder.path()).unwrap();
        assert_eq!(
            report.problems.len(),
            expected.len(),
            "{:?}",
            report.problems
        );
        for (problem, said) in report.problems.iter().zip(expected) {
            assert!(problem.contains(said), "{said}: {problem}");
        }
    };
    // A tensor that is in no shard, a shard that is gone, one that is cut short, an index that is none.
    fs::write(at(second), shard("z")).unwrap();
    problems(&["lacks y"]);
    fs::remove_file(at(second)).unwrap();
    problems(&["is missing; m.safetensors.index.json keeps y"]);
    fs::write(at(second), &shard("y")[..40]).unwrap();
    problems(&["ends after 40"]);
    fs::write(at(second), shard("y")).unwrap();
    fs::write(at("m.safetensors.index.json"), "{}").unwrap();
    problems(&["weight_map"]);
    // Without an index the names tell.
    fs::remove_file(at("m.safetensors.index.json")).unwrap();
    fs::remove_file(at(first)).unwrap();
    problems(&["1 of 2 parts are missing, the first of them m-00001-of-00002.safetensors"]);
    fs::rename(at(second), at("m-00002-of-4000000000.safetensors")).unwrap();
    problems(&["3999999999 of 4000000000 parts are missing"]);
}

#[test]
fn a_pipeline_is_a_network_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for (part, class) in [("unet", "UNet2DConditionModel"), ("vae", "AutoencoderKL")] {
        fs::create_dir(folder.path().join(part)).unwrap();
        let config = format!(r#"{{"_class_name": "{class}"}}"#);
        fs::write(folder.path().join(part).join("config.json"), config).unwrap();
        fs::write(folder.path().join(part).join("m.safetensors"), weights(10)).unwrap();
        // Both forms are there: one is counted.
        fs::write(folder.path().join(part).join("m.bin"), "PK\x03\x04").unwrap();
    }
    let index = r#"{"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "U"],
        "vae": ["diffusers", "A"], "safety_checker": ["x", "y"], "requires": true}"#;
    fs::write(folder.path().join("model_index.json"), index).unwrap();
    let report = check(folder.path()).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let classes: Vec<_> = report
        .parts
        .iter()
        .map(|p| p.architecture.as_deref().unwrap())
        .collect();
    assert_eq!(classes, ["UNet2DConditionModel", "AutoencoderKL"]);
    assert!(
        report
            .notes
            .contains(&"not here: safety_checker".to_owned()),
        "{:?}",
        report.notes
    );
}

/// A zip archive without compression, as far as its directory goes.
pub(crate) fn archive(n_entries: u16) -> Vec<u8> {
    let mut bytes = b"PK\x03\x04".to_vec();
    bytes.extend(noise(2, 100));
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(n_entries.to_le_bytes());
    bytes.extend(n_entries.to_le_bytes());
    bytes.extend([0; 10]);
    bytes
}

#[test]
fn pytorch_files_are_told_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.pth");
    fs::write(&path, archive(12)).unwrap();
    assert_eq!(
        pytorch::kind(&path).unwrap(),
        Some(pytorch::Kind::Zip { n_entries: 12 })
    );
    let report = check(&path).unwrap();
    assert!(report.problems.is_empty());
    assert_eq!(report.parts[0].files[0].format, "PyTorch, 12 entries");
    fs::write(&path, &archive(12)[..110]).unwrap();
    assert!(refusal(&path, pytorch::kind(&path)).contains("without its end"));
    let legacy = [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
    ];
    fs::write(&path, legacy).unwrap();
    assert_eq!(pytorch::kind(&path).unwrap(), Some(pytorch::Kind::Legacy));
    fs::write(&path, "something else").unwrap();
    assert!(check(&path).unwrap().problems[0].contains("neither safetensors nor PyTorch"));
    fs::write(&path, "<html><title>404</title>").unwrap();
    assert!(check(&path).unwrap().problems[0].contains("a web page"));
}

#[test]
fn what_is_no_weights_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |path: &Path| refusal(path, check(path));
    assert!(refused(folder.path()).contains("holds no weights"));
    assert!(refused(&folder.path().join("gone")).contains("no such file or folder"));
    let text = folder.path().join("notes.txt");
    fs::write(&text, "hello").unwrap();
    assert!(refused(&text).contains("is no file of weights"));
    // An interrupted download is told and not used.
    fs::write(folder.path().join("m.safetensors"), weights(10)).unwrap();
    fs::write(folder.path().join("m.safetensors.incomplete"), "half").unwrap();
    let report = check(folder.path()).unwrap();
    assert!(report.problems.is_empty() && report.notes[0].contains("interrupted download"));
    #[cfg(unix)]
    {
        let link = folder.path().join("n.safetensors");
        std::os::unix::fs::symlink("gone", &link).unwrap();
        assert!(refused(&link).contains("a link to a file that is not here"));
        assert_eq!(check(folder.path()).unwrap().problems.len(), 1);
    }
}
