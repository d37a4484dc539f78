//! A network's own weights as safetensors, in PyTorch's layout and under our names, so that they load like any other.

use std::path::Path;

use burn::module::Module;
use burn::store::{
    BurnToPyTorchAdapter, FloatCastAdapter, ModuleAdapter, ModuleSnapshot, SafetensorsStore,
};
use burn::tensor::DType;

use crate::{Error, Result};

/// Writes the weights of `network` as numbers of `dtype` (f16 or f32), under another name until they are whole.
pub fn save<M: Module>(network: &M, path: &Path, dtype: DType) -> Result<()> {
    let adapter = BurnToPyTorchAdapter.chain(FloatCastAdapter::to(dtype));
    let mut store = SafetensorsStore::from_file(path)
        .overwrite(true)
        .skip_enum_variants(true)
        .with_to_adapter(adapter);
    network.save_into(&mut store).map_err(|e| {
        Error::file(
            path,
            format!("the weights can't be written ({e}): is there room on the disk?"),
        )
    })
}
