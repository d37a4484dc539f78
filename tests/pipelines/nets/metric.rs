//! The networks of the scores: their sizes, and that they can't be confused. Their numbers are compared with
//! torchvision's at full size by `tests/peers/nets.py`.

use burn::tensor::DType;
use burn::tensor::{Device, Tensor};
use fusiform_pipelines::nets::metric::{
    AlexNet, EfficientNet, Inception, ResNet50, load_alexnet, load_resnet50,
};
use fusiform_pipelines::nets::weights::{parameters, save};

/// Numbers torchvision counts, classifiers left out and the statistics of norms (two a channel) added.
#[test]
fn sizes_are_those_of_torchvision() {
    let device = Device::flex();
    assert_eq!(parameters(&AlexNet::new(&device)), 2_469_696);
    assert_eq!(parameters(&ResNet50::new(&device)), 23_508_032 + 53_120);
    assert_eq!(parameters(&EfficientNet::b1(&device)), 6_513_184 + 62_048);
    assert_eq!(parameters(&Inception::new(&device)), 21_785_568 + 34_432);
}

#[test]
fn outputs_have_the_shapes_the_scores_need() {
    let device = Device::flex();
    let pixels = Tensor::<4>::zeros([1, 3, 96, 96], &device);
    let [second, fifth] = AlexNet::new(&device).forward(pixels.clone());
    assert_eq!(second.dims(), [1, 192, 11, 11]);
    assert_eq!(fifth.dims(), [1, 256, 5, 5]);
    assert_eq!(
        EfficientNet::b1(&device).forward(pixels.clone()).dims(),
        [1, 1280]
    );
    assert_eq!(Inception::new(&device).forward(&pixels).dims(), [1, 2048]);
    assert_eq!(ResNet50::new(&device).forward(pixels).dims(), [1, 2048]);
}

/// What is saved under our names loads again as it was, in half precision too, and not as something else.
#[test]
fn saved_weights_load_again() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alexnet.safetensors");
    let network = AlexNet::new(&device);
    let pixels = Tensor::<4>::ones([1, 3, 64, 64], &device);
    let [_, before] = network.forward(pixels.clone());
    for (dtype, limit) in [(DType::F32, 0.0), (DType::F16, 2e-3)] {
        save(&network, &path, dtype).unwrap();
        let [_, after] = load_alexnet(&path, &device)
            .unwrap()
            .forward(pixels.clone());
        let error = (after - before.clone()).abs().max().into_scalar::<f32>();
        assert!(error <= limit, "{dtype:?} {error}");
    }
    let error = load_resnet50(&path, &device).unwrap_err().to_string();
    assert!(error.contains("another network"), "{error}");
    let nowhere = folder.path().join("absent").join("x.safetensors");
    assert!(save(&network, &nowhere, DType::F32).is_err());
}
