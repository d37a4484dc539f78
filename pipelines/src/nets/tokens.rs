//! Text to ids and back, as the published tokenizers do it.
//!
//! `tokenizer.json` is read as it is. Older models come with a vocabulary and merges alone: then the steps around
//! them are those of CLIP, GPT-2 or BERT, told apart by the vocabulary.

use std::path::Path;

use serde_json::{Value, json};

use crate::{Error, Result};

/// A tokenizer with the special ids a model needs.
#[derive(Clone)]
pub struct Tokens {
    inner: tokenizers::Tokenizer,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("n_ids", &self.inner.get_vocab_size(true))
            .finish()
    }
}

impl Tokens {
    /// The tokenizer in a model's folder, or in the folder beside it that diffusers uses.
    pub fn open(folder: &Path) -> Result<Self> {
        for folder in [folder.to_path_buf(), folder.join("tokenizer")] {
            let whole = folder.join("tokenizer.json");
            if whole.exists() {
                return Self::parse(&whole, &read(&whole)?);
            }
            let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
            if vocab.exists() && merges.exists() {
                let ids: Value = serde_json::from_slice(&read(&vocab)?).map_err(|e| {
                    Error::file(&vocab, format!("not a vocabulary ({e}): download it again"))
                })?;
                let text = String::from_utf8_lossy(&read(&merges)?).into_owned();
                return Self::parse(&vocab, bytes_of(&byte_pairs(&ids, &text)).as_slice());
            }
            let words = folder.join("vocab.txt");
            if words.exists() {
                let text = String::from_utf8_lossy(&read(&words)?).into_owned();
                return Self::parse(&words, bytes_of(&word_pieces(&text)).as_slice());
            }
        }
        Err(Error::file(
            folder,
            "no tokenizer here: it should hold tokenizer.json, or vocab.json and merges.txt, or vocab.txt, as published with the model",
        ))
    }

    fn parse(path: &Path, json: &[u8]) -> Result<Self> {
        let inner = tokenizers::Tokenizer::from_bytes(json)
            .map_err(|e| Error::file(path, format!("not a tokenizer ({e}): download it again")))?;
        Ok(Self { inner })
    }

    /// The ids of a text, with the marks of beginning and end where the model has them.
    pub fn ids(&self, text: &str) -> Result<Vec<u32>> {
        self.encode(text, true)
    }

    /// The ids of a text alone.
    pub fn bare_ids(&self, text: &str) -> Result<Vec<u32>> {
        self.encode(text, false)
    }

    fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>> {
        self.inner
            .encode(text, special)
            .map(|e| e.get_ids().to_vec())
            .map_err(|e| Error::data(format!("a text can't be tokenized ({e}): “{text}”")))
    }

    /// The ids of texts, each cut or padded to `n` with `pad`. A text that is cut keeps its last id, the mark of its
    /// end.
    pub fn padded(&self, texts: &[&str], n: usize, pad: u32) -> Result<Vec<Vec<u32>>> {
        texts
            .iter()
            .map(|text| {
                let mut ids = self.ids(text)?;
                if let (true, Some(&last)) = (ids.len() > n, ids.last()) {
                    ids.truncate(n);
                    if let Some(cut) = ids.last_mut() {
                        *cut = last;
                    }
                }
                ids.resize(n, pad);
                Ok(ids)
            })
            .collect()
    }

    /// The text of ids, without special ones.
    pub fn text(&self, ids: &[u32]) -> Result<String> {
        self.inner
            .decode(ids, true)
            .map_err(|e| Error::data(format!("ids that are no text ({e})")))
    }

    /// The id of a token, where there is one.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::io(path, e))
}

fn bytes_of(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn special(content: &str, id: &Value) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
           "normalized": false, "special": true})
}

/// Byte pairs in the manner of CLIP where words end in `</w>`, else of GPT-2.
fn byte_pairs(vocab: &Value, merges: &str) -> Value {
    let clip = vocab
        .as_object()
        .is_some_and(|map| map.keys().any(|token| token.ends_with("</w>")));
    let merges: Vec<&str> = merges
        .lines()
        .filter(|line| !line.contains("#version") && !line.trim().is_empty())
        .collect();
    let (begin, end) = (&vocab["<|startoftext|>"], &vocab["<|endoftext|>"]);
    let marks: Vec<Value> = [("<|startoftext|>", begin), ("<|endoftext|>", end)]
        .into_iter()
        .filter(|(_, id)| !id.is_null())
        .map(|(token, id)| special(token, id))
        .collect();
    let model = |suffix: Option<&str>, unknown: Option<&str>| {
        json!({"type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": "",
               "end_of_word_suffix": suffix, "fuse_unk": false, "byte_fallback": false,
               "vocab": vocab, "merges": merges})
    };
    let bytes = |use_regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
    if !clip {
        return json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": marks,
            "normalizer": null, "pre_tokenizer": bytes(true), "post_processor": bytes(true),
            "decoder": bytes(true), "model": model(None, None)});
    }
    let words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": marks,
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": words}, "behavior": "Removed", "invert": true},
            bytes(true)]},
        "post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", end],
            "cls": ["<|startoftext|>", begin], "trim_offsets": false, "add_prefix_space": false},
        "decoder": bytes(true), "model": model(Some("</w>"), Some("<|endoftext|>"))})
}

/// Word pieces in the manner of BERT, lower case.
fn word_pieces(vocab: &str) -> Value {
    let ids: serde_json::Map<String, Value> = vocab
        .lines()
        .enumerate()
        .map(|(id, word)| (word.to_owned(), json!(id)))
        .collect();
    let id = |token: &str| ids.get(token).cloned().unwrap_or(Value::Null);
    let marks: Vec<Value> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        .iter()
        .filter(|token| ids.contains_key(**token))
        .map(|token| special(token, &id(token)))
        .collect();
    json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": marks,
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", id("[SEP]")], "cls": ["[CLS]", id("[CLS]")]},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": ids}})
}
