"""The MNIST ConvNet by PyTorch DDP over gloo; prints examples a second after a quarter of the steps.

Arguments: folder of the files of MNIST, steps, examples a step in this process; RANK, WORLD_SIZE, MASTER_ADDR and
MASTER_PORT in the environment.
"""

import sys
import time

import numpy as np
import torch
from torch import nn

folder, steps, batch = sys.argv[1], *map(int, sys.argv[2:])
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo")

with open(f"{folder}/train-images-idx3-ubyte", "rb") as file:
    images = np.frombuffer(file.read(), np.uint8, offset=16)[: steps * batch * 784]
with open(f"{folder}/train-labels-idx1-ubyte", "rb") as file:
    labels = np.frombuffer(file.read(), np.uint8, offset=8)[: steps * batch]
images = torch.from_numpy((images.reshape(steps, batch, 1, 28, 28) / 255).astype(np.float32))
labels = torch.from_numpy(labels.reshape(steps, batch).astype(np.int64))

model = nn.Sequential(
    *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
    *(nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10)),
).to(memory_format=torch.channels_last)
model = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
loss_of = nn.CrossEntropyLoss()

for at in range(steps):
    if at == steps // 4:
        began = time.perf_counter()
    optimizer.zero_grad()
    loss = loss_of(model(images[at].to(memory_format=torch.channels_last)), labels[at])
    loss.backward()
    optimizer.step()
    loss.item()
print((steps - steps // 4) * batch / (time.perf_counter() - began))
torch.distributed.destroy_process_group()
