"""A synchronous step of PyTorch that computes nothing: all_reduce over gloo, then fused Adam.

step-torch.py WORKERS FLOATS STEPS prints the median of the milliseconds of a step.
"""

import os
import statistics
import sys
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def work(rank, workers, floats, steps, meeting):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=workers)
    weights = torch.nn.Parameter(torch.zeros(floats))
    # Every step multiplies it by the workers: it must neither overflow nor be so small that its square
    # is denormal, which processors compute slowly.
    weights.grad = torch.full((floats,), 2.0**-20)
    adam = torch.optim.Adam([weights], lr=1e-3, fused=True)
    times = []
    for step in range(steps):
        if step % 8 == 0:
            weights.grad.fill_(2.0**-20)
            dist.barrier()
        begun = time.perf_counter()
        dist.all_reduce(weights.grad)
        adam.step()
        times.append(1000 * (time.perf_counter() - begun))
    if rank == 0:
        print(statistics.median(times[steps // 2 :]))
    dist.destroy_process_group()


if __name__ == "__main__":
    workers, floats, steps = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        arguments = (workers, floats, steps, os.path.join(folder, "meeting"))
        mp.spawn(work, args=arguments, nprocs=workers)
