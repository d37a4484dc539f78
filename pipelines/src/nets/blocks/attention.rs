//! Attention of several heads, of a sequence to itself or to another, in one go or a stretch of queries at a time.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::linear;

/// Widths and switches of an [`Attention`].
#[derive(Clone, Copy, Debug)]
pub struct AttentionConfig {
    /// Width of the sequence that asks, and of the result.
    pub d_query: usize,
    /// Width of the sequence that answers.
    pub d_context: usize,
    /// Width of queries, keys and values, all heads together.
    pub d_inner: usize,
    /// Heads, a divisor of `d_inner`.
    pub n_heads: usize,
    /// Whether queries, keys and values have a bias.
    pub bias: bool,
    /// Queries computed at once; `None` for all. Scores take `heads × chunk × keys` numbers.
    pub chunk: Option<usize>,
}

impl AttentionConfig {
    /// Attention of a sequence to itself at one width, with biases.
    pub fn of_self(width: usize, n_heads: usize) -> Self {
        Self {
            d_query: width,
            d_context: width,
            d_inner: width,
            n_heads,
            bias: true,
            chunk: None,
        }
    }

    /// A fresh one.
    pub fn init(&self, device: &Device) -> Attention {
        Attention {
            q: linear(self.d_query, self.d_inner, self.bias, device),
            k: linear(self.d_context, self.d_inner, self.bias, device),
            v: linear(self.d_context, self.d_inner, self.bias, device),
            out: linear(self.d_inner, self.d_query, true, device),
            n_heads: self.n_heads,
            chunk: self.chunk,
        }
    }
}

/// `softmax(q kᵀ / √d) v`, head by head, between linear layers.
#[derive(Module, Debug)]
pub struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    n_heads: usize,
    #[module(skip)]
    chunk: Option<usize>,
}

impl Attention {
    /// `x` (`[batch, queries, d_query]`) attends to `context` (`[batch, keys, d_context]`), or to itself.
    pub fn forward(&self, x: Tensor<3>, context: Option<Tensor<3>>, causal: bool) -> Tensor<3> {
        let context = context.unwrap_or_else(|| x.clone());
        let (k, v) = self.keys_values(context);
        self.forward_with(x, k, v, causal)
    }

    /// Keys and values of a sequence, `[batch, heads, keys, d_head]` each: what a cache holds.
    pub fn keys_values(&self, context: Tensor<3>) -> (Tensor<4>, Tensor<4>) {
        let k = self.heads(self.k.forward(context.clone()));
        let v = self.heads(self.v.forward(context));
        (k, v)
    }

    /// Attention to keys and values made before. With `causal`, the last query sees all keys and each query before
    /// it one less.
    pub fn forward_with(
        &self,
        x: Tensor<3>,
        k: Tensor<4>,
        v: Tensor<4>,
        causal: bool,
    ) -> Tensor<3> {
        let q = self.heads(self.q.forward(x));
        let y = attend(q, k, v, causal, self.chunk);
        let [batch, n_heads, n, d_head] = y.dims();
        let y = y.swap_dims(1, 2).reshape([batch, n, n_heads * d_head]);
        self.out.forward(y)
    }

    fn heads(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, n, width] = x.dims();
        x.reshape([batch, n, self.n_heads, width / self.n_heads])
            .swap_dims(1, 2)
    }
}

/// Attention of queries to keys and values (`[batch, heads, n, d_head]`), `chunk` queries at a time.
pub fn attend(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    causal: bool,
    chunk: Option<usize>,
) -> Tensor<4> {
    let [_, _, n_queries, _] = q.dims();
    let [_, _, n_keys, _] = k.dims();
    let chunk = chunk.unwrap_or(n_queries).clamp(1, n_queries.max(1));
    if chunk >= n_queries {
        return stretch(q, k, v, causal, 0);
    }
    // Query i of all sees the keys up to i + the keys that were there before the first query.
    let before = n_keys.saturating_sub(n_queries);
    let parts = (0..n_queries)
        .step_by(chunk)
        .map(|start| {
            let here = chunk.min(n_queries - start);
            let q = q.clone().narrow(2, start, here);
            if !causal {
                return stretch(q, k.clone(), v.clone(), false, 0);
            }
            let seen = before + start + here;
            let (k, v) = (k.clone().narrow(2, 0, seen), v.clone().narrow(2, 0, seen));
            stretch(q, k, v, true, start)
        })
        .collect();
    Tensor::cat(parts, 2)
}

/// One stretch of queries, the last of which sees all keys when `causal`.
fn stretch(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal: bool, start: usize) -> Tensor<4> {
    let [batch, n_heads, n_queries, _] = q.dims();
    let [_, _, n_keys, _] = k.dims();
    let square = n_queries == n_keys && start == 0;
    let mask = (causal && !square && n_queries > 1).then(|| {
        hidden(n_queries, n_keys, &q.device()).expand([batch, n_heads, n_queries, n_keys])
    });
    let options = AttentionModuleOptions {
        scale: None,
        softcap: None,
        is_causal: causal && square,
    };
    attention(q, k, v, mask, None, options)
}

/// True where a query may not look: the last query sees every key.
fn hidden(n_queries: usize, n_keys: usize, device: &Device) -> Tensor<4, Bool> {
    let before = n_keys.saturating_sub(n_queries);
    let values: Vec<bool> = (0..n_queries)
        .flat_map(|query| (0..n_keys).map(move |key| key > query + before))
        .collect();
    Tensor::from_data(TensorData::new(values, [1, 1, n_queries, n_keys]), device)
}
