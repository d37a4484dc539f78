"""Networks at their published geometry with random weights: how far ours are from the libraries that published them,
and how long both take, in turn, in one run on as many threads.

    python tests/peers/nets.py target/release/fusiform FOLDER [NETWORK ...]

NETWORK: clip-b32 clip-l14 unet unet-256 vae vae-256 gpt2 alexnet inception efficientnet-b1 resnet50 (all when none is
named). FOLDER takes one model at a time (up to 2 GB, in f16) and is emptied after each. RAYON_NUM_THREADS sets the
threads of both, REPS the passes (3). Needs torch, torchvision, transformers, diffusers and safetensors.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

program, root = sys.argv[1], Path(sys.argv[2])
threads = int(os.environ.get("RAYON_NUM_THREADS", os.cpu_count()))
reps = int(os.environ.get("REPS", 3))
torch.set_num_threads(threads)
torch.set_grad_enabled(False)
torch.manual_seed(0)


def shake(model):
    for name, p in model.named_parameters():
        p.copy_(torch.randn(p.shape) * (p[0].numel() ** -0.5 if p.dim() > 1 else 0.1))
        if p.dim() == 1 and name.endswith("weight"):
            p.add_(1.0)
    return model.half().float().eval()


def clip(config):
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection
    model = shake(CLIPVisionModelWithProjection(CLIPVisionConfig(**config)))
    pixels = torch.randn(8, 3, 224, 224)

    def run():
        out = model(pixels)
        return dict(tokens=out.last_hidden_state, image_embeds=out.image_embeds)

    return "clip-image", model, dict(pixels=pixels), run


def unet(side):
    from diffusers import UNet2DConditionModel
    model = shake(UNet2DConditionModel(cross_attention_dim=768, sample_size=64))
    latents, tokens = torch.randn(1, 4, side, side), torch.randn(1, 77, 768)
    inputs = dict(latents=latents, tokens=tokens, time=torch.tensor([481.0]))
    return "unet", model, inputs, lambda: dict(out=model(latents, 481, tokens).sample)


def vae(side):
    from diffusers import AutoencoderKL
    model = shake(AutoencoderKL(block_out_channels=(128, 256, 512, 512), down_block_types=("DownEncoderBlock2D",) * 4,
                                up_block_types=("UpDecoderBlock2D",) * 4, layers_per_block=2))
    pictures, latents = torch.rand(1, 3, side, side) * 2 - 1, torch.randn(1, 4, side // 8, side // 8)
    return "autoencoder", model, dict(pictures=pictures, latents=latents), lambda: dict(
        mean=model.encode(pictures).latent_dist.mean, decoded=model.decode(latents).sample)


def gpt2():
    from transformers import GPT2Config, GPT2LMHeadModel
    model = shake(GPT2LMHeadModel(GPT2Config()))
    ids = torch.randint(0, 50257, (2, 64))
    return "gpt2", model, dict(ids=ids), lambda: dict(logits=model(ids).logits)


def metric(kind, side):
    import torchvision
    build = getattr(torchvision.models, dict(inception="inception_v3").get(kind, kind.replace("-", "_")))
    model = build(init_weights=False, transform_input=True, aux_logits=True) if kind == "inception" else build()
    generator = torch.Generator().manual_seed(1)
    for name, b in model.named_buffers():
        if name.endswith("running_mean"):
            b.copy_(torch.randn(b.shape, generator=generator) * 0.2)
        if name.endswith("running_var"):
            b.copy_(torch.rand(b.shape, generator=generator) + 0.5)
    model = shake(model)
    taken = {}
    taps = dict(second=model.features[4], fifth=model.features[11]) if kind == "alexnet" else dict(features=model.avgpool)
    for name, part in taps.items():
        part.register_forward_hook(lambda _, __, y, name=name: taken.__setitem__(name, y.clone().flatten(1) if name == "features" else y.clone()))
    pixels = torch.randn(2, 3, side, side)

    def run():
        model(pixels)
        return dict(taken)

    return kind, model, dict(pixels=pixels), run


NETWORKS = {
    "clip-b32": lambda: clip(dict()),
    "clip-l14": lambda: clip(dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
                                  patch_size=14, projection_dim=768)),
    "unet": lambda: unet(64), "unet-256": lambda: unet(32), "vae": lambda: vae(512), "vae-256": lambda: vae(256),
    "gpt2": gpt2, "alexnet": lambda: metric("alexnet", 256), "inception": lambda: metric("inception", 342),
    "efficientnet-b1": lambda: metric("efficientnet-b1", 255), "resnet50": lambda: metric("resnet50", 224),
}


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


for name in sys.argv[3:] or NETWORKS:
    kind, model, inputs, run = NETWORKS[name]()
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if hasattr(model, "save_pretrained"):
        model.half().save_pretrained(folder)
        model.float()
    else:
        save_file(model.state_dict(), folder / "model.safetensors")
    outputs = {k: v.contiguous() for k, v in run().items()}
    save_file({**inputs, **outputs}, folder / "io.safetensors")
    theirs = [timed(run) for _ in range(reps)]
    command = [program, "bench", "network", kind, folder, "--reps", str(reps), "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    theirs += [timed(run) for _ in range(reps - 1)]
    torch_secs, ours = statistics.median(theirs), found["seconds"]
    print(f"{name}, {threads} threads: torch {torch_secs:.2f} s, fusiform {ours:.2f} s, {ours / torch_secs:.2f} times as long; "
          f"{found['quality']['held_mib']:.0f} MiB held, {found['peak_mib']:.0f} at most")
    for d in found["quality"]["differences"]:
        print(f"    {d['output']}: largest difference {d['largest_difference']:.1e}, largest number {d['largest_number']:.2f}", flush=True)
    shutil.rmtree(folder)
    del model, run
