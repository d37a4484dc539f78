//! Ids of a thousand mixed strings, equal to the original tokenizers'.

use fusiform_pipelines::nets::tokens::Tokens;

use super::fixture;

fn expected() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(fixture("tokens.json")).expect("a fixture"))
        .expect("a fixture")
}

fn equal(name: &str) -> Tokens {
    let expected = expected();
    let tokens = Tokens::open(&fixture(&format!("tokens_{name}"))).expect("a fixture");
    let texts = expected["texts"].as_array().expect("a fixture");
    assert_eq!(texts.len(), 1000);
    for (text, ids) in texts
        .iter()
        .zip(expected[name].as_array().expect("a fixture"))
    {
        let text = text.as_str().expect("a fixture");
        let ids: Vec<u32> = serde_json::from_value(ids.clone()).expect("a fixture");
        assert_eq!(tokens.ids(text).expect("a fixture"), ids, "{text:?}");
    }
    tokens
}

#[test]
fn as_clip() {
    let tokens = equal("clip");
    let end = tokens.id("<|endoftext|>").unwrap();
    let rows = tokens
        .padded(
            &["a", "a train at the station with two dogs and a horse"],
            8,
            end,
        )
        .unwrap();
    assert!(rows.iter().all(|row| row.len() == 8 && row[7] == end));
}

#[test]
fn as_gpt2_and_back() {
    let tokens = equal("gpt2");
    for text in ["two dogs, running!", "café 東京 🎉", ""] {
        assert_eq!(tokens.text(&tokens.ids(text).unwrap()).unwrap(), text);
    }
}

#[test]
fn as_bert() {
    equal("bert");
}

#[test]
fn without_a_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    let error = Tokens::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("no tokenizer here"), "{error}");
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    let error = Tokens::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("not a tokenizer"), "{error}");
}
