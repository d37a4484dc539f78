"""Networks at their published geometry with random weights: how far ours are from the libraries that published them,
and how long both take, in turn, in one run on as many threads.

    python tests/peers/nets.py target/release/fusiform FOLDER [NETWORK ...]

NETWORK: clip-b32 clip-l14 unet unet-256 vae vae-256 gpt2 (all when none is named). FOLDER takes one model at a time
(up to 2 GB, in f16) and is emptied after each. Needs torch, transformers, diffusers and safetensors.
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


NETWORKS = {
    "clip-b32": lambda: clip(dict()),
    "clip-l14": lambda: clip(dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
                                  patch_size=14, projection_dim=768)),
    "unet": lambda: unet(64), "unet-256": lambda: unet(32), "vae": lambda: vae(512), "vae-256": lambda: vae(256),
    "gpt2": gpt2,
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
    model.half().save_pretrained(folder)
    model.float()
    outputs = {k: v.contiguous() for k, v in run().items()}
    save_file({**inputs, **outputs}, folder / "io.safetensors")
    theirs = [timed(run) for _ in range(3)]
    command = [program, "bench", "network", kind, folder, "--reps", "3", "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    theirs += [timed(run) for _ in range(2)]
    torch_secs, ours = statistics.median(theirs), found["seconds"]
    print(f"{name}, {threads} threads: torch {torch_secs:.2f} s, fusiform {ours:.2f} s, {ours / torch_secs:.2f} times as long; "
          f"{found['quality']['held_mib']:.0f} MiB held, {found['peak_mib']:.0f} at most")
    for d in found["quality"]["differences"]:
        print(f"    {d['output']}: largest difference {d['largest_difference']:.1e}, largest number {d['largest_number']:.2f}", flush=True)
    shutil.rmtree(folder)
    del model, run
