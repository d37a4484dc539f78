//! GPT-2, CLIPCap and GIT against transformers, and their search against a plain one.

use burn::tensor::{DType, Device};
use fusiform_pipelines::nets::language::{
    Gpt2, Gpt2Config, Past, Text, load_captioner, load_git, load_gpt2,
};
use fusiform_pipelines::nets::weights::parameters;
use fusiform_pipelines::run::{CancelToken, Run, quietly};

use super::{Io, fixture};

const LIMIT: f64 = 1e-4;

#[test]
fn gpt2_as_transformers_at_once_and_word_by_word() {
    let device = Device::flex();
    let mut io = Io::open("gpt2");
    let network = load_gpt2(&fixture("gpt2"), DType::F32, &device).unwrap();
    let ids = io.ids("ids");
    let whole = network
        .forward(network.embed(&ids).unwrap(), &mut Past::default())
        .unwrap();
    io.demand("logits", whole, LIMIT);
    let mut past = Past::default();
    let parts: Vec<_> = [0..2, 2..3, 3..5]
        .into_iter()
        .map(|part| {
            let ids: Vec<Vec<u32>> = ids.iter().map(|row| row[part.clone()].to_vec()).collect();
            network
                .forward(network.embed(&ids).unwrap(), &mut past)
                .unwrap()
        })
        .collect();
    io.demand("logits", burn::tensor::Tensor::cat(parts, 1), LIMIT);
}

fn searched(name: &str, width: usize) -> Vec<(Vec<u32>, f64)> {
    let path = fixture(name).join("search.json");
    let all: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON");
    all[width.to_string()]
        .as_array()
        .expect("a search")
        .iter()
        .map(|text| {
            let ids = serde_json::from_value(text["ids"].clone()).expect("ids");
            (ids, text["score"].as_f64().expect("a score"))
        })
        .collect()
}

fn demand_search(name: &str, width: usize, ours: &[Text]) {
    let theirs = searched(name, width);
    assert_eq!(ours.len(), theirs.len());
    for (ours, (ids, score)) in ours.iter().zip(&theirs) {
        assert_eq!(&ours.ids, ids, "{name}, {width} beginnings");
        assert!((ours.score - score).abs() < 1e-5, "{} {score}", ours.score);
    }
}

#[test]
fn clipcap_as_its_parts_and_its_search() {
    let device = Device::flex();
    for name in ["clipcap_perceptron", "clipcap_transformer"] {
        let mut io = Io::open(name);
        let path = fixture(name).join("captioner.pt");
        let network = load_captioner(&path, DType::F32, &device).unwrap();
        let image = io.tensor("image", &device);
        io.demand("prefix", network.prefix(image).unwrap(), LIMIT);
        let image = io.tensor("image", &device);
        let logits = network.forward(image, &io.ids("ids")).unwrap();
        io.demand("logits", logits, LIMIT);
        for width in [1, 5] {
            let image = io.tensor("image", &device);
            let texts =
                quietly(|run| network.captions(image.clone(), width, 9, &[13], run)).unwrap();
            demand_search(name, width, &texts);
        }
    }
}

#[test]
fn git_as_transformers_and_its_search() {
    let device = Device::flex();
    let mut io = Io::open("git");
    let (tower, network) = load_git(&fixture("git"), DType::F32, &device).unwrap();
    let tokens = tower.forward(io.tensor("pixels", &device)).normed;
    io.demand("tokens", tokens.clone(), LIMIT);
    let mut past = network.read(tokens.clone()).unwrap();
    let logits = network.forward(&io.ids("ids"), &mut past).unwrap();
    io.demand("logits", logits, LIMIT);
    let texts = quietly(|run| network.captions(tokens.clone(), 3, 6, run)).unwrap();
    demand_search("git", 3, &texts);
}

#[test]
fn what_does_not_fit_is_refused() {
    let device = Device::flex();
    let network = load_gpt2(&fixture("gpt2"), DType::F32, &device).unwrap();
    assert!(network.embed(&[vec![50]]).is_err());
    assert!(network.embed(&[vec![1], vec![1, 2]]).is_err());
    let long = network.embed(&[vec![1; 41]]).unwrap();
    assert!(network.forward(long, &mut Past::default()).is_err());
    assert!(
        load_captioner(
            &fixture("gpt2").join("model.safetensors"),
            DType::F32,
            &device
        )
        .is_err()
    );
    let mut io = Io::open("gpt2");
    let _ = io.data("ids");
    let captioner = fixture("clipcap_perceptron").join("captioner.pt");
    let captioner = load_captioner(&captioner, DType::F32, &device).unwrap();
    let narrow = burn::tensor::Tensor::zeros([1, 11], &device);
    assert!(captioner.prefix(narrow).is_err());
}

#[test]
fn a_search_can_be_cancelled() {
    let device = Device::flex();
    let mut io = Io::open("git");
    let (tower, network) = load_git(&fixture("git"), DType::F32, &device).unwrap();
    let tokens = tower.forward(io.tensor("pixels", &device)).normed;
    let cancel = CancelToken::default();
    cancel.cancel();
    assert!(
        network
            .captions(tokens, 3, 6, &Run::new(&|_| {}, &cancel))
            .is_err()
    );
}

#[test]
fn gpt2_has_its_published_size() {
    let network = Gpt2::new(&Gpt2Config::default(), &Device::flex()).unwrap();
    assert_eq!(parameters(&network), 124_439_808);
}
