"""The MNIST ConvNet by Python's TensorFlow; prints examples a second after a quarter of the steps.

Arguments: folder of the files of MNIST, steps, examples a step in this process, threads, and for several
processes TF_CONFIG in the environment (MultiWorkerMirroredStrategy).
"""

import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

folder, steps, batch, threads = sys.argv[1], *map(int, sys.argv[2:])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
several = "TF_CONFIG" in os.environ
strategy = tf.distribute.MultiWorkerMirroredStrategy() if several else tf.distribute.get_strategy()

with open(f"{folder}/train-images-idx3-ubyte", "rb") as file:
    images = np.frombuffer(file.read(), np.uint8, offset=16)[: steps * batch * 784]
with open(f"{folder}/train-labels-idx1-ubyte", "rb") as file:
    labels = np.frombuffer(file.read(), np.uint8, offset=8)[: steps * batch]
images = (images.reshape(steps, batch, 28, 28, 1) / 255).astype(np.float32)
labels = labels.reshape(steps, batch).astype(np.int32)


def glorot(shape, receptive=1):
    limit = (6 / (receptive * (shape[-2] + shape[-1]))) ** 0.5
    return tf.Variable(tf.random.uniform(shape, -limit, limit))


# Variables and an Adam of our own: Keras 3 takes no part in MultiWorkerMirroredStrategy.
with strategy.scope():
    weights = [
        *(glorot([3, 3, 1, 32], 9), tf.Variable(tf.zeros([32]))),
        *(glorot([3, 3, 32, 64], 9), tf.Variable(tf.zeros([64]))),
        *(glorot([1600, 128]), tf.Variable(tf.zeros([128]))),
        *(glorot([128, 10]), tf.Variable(tf.zeros([10]))),
    ]
    first = [tf.Variable(tf.zeros_like(each)) for each in weights]
    second = [tf.Variable(tf.zeros_like(each)) for each in weights]


def model(x):
    for at in (0, 2):
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, weights[at], 1, "VALID"), weights[at + 1]))
        x = tf.nn.max_pool2d(x, 2, 2, "VALID")
    x = tf.reshape(x, [-1, 1600])
    x = tf.nn.relu(tf.matmul(x, weights[4]) + weights[5])
    return tf.matmul(x, weights[6]) + weights[7]


def update(variable, gradient, m, v, t):
    m.assign(0.9 * m + 0.1 * gradient)
    v.assign(0.999 * v + 0.001 * gradient * gradient)
    rate = 0.001 * tf.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    variable.assign_sub(rate * m / (tf.sqrt(v) + 1e-7))


def update_all(strategy, gradients, t):
    pairs = list(zip(gradients, weights))
    gradients = strategy.extended.batch_reduce_to(tf.distribute.ReduceOp.MEAN, pairs)
    for variable, gradient, m, v in zip(weights, gradients, first, second):
        strategy.extended.update(variable, update, args=(gradient, m, v, t))


def replica(x, y, t):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x)))
    gradients = tape.gradient(loss, weights)
    tf.distribute.get_replica_context().merge_call(update_all, args=(gradients, t))
    return loss


@tf.function
def step(x, y, t):
    return strategy.run(replica, args=(x, y, t))


for at in range(steps):
    if at == steps // 4:
        began = time.perf_counter()
    loss = step(tf.constant(images[at]), tf.constant(labels[at]), tf.constant(at + 1.0))
    float(strategy.reduce("MEAN", loss, axis=None) if several else loss)
print((steps - steps // 4) * batch / (time.perf_counter() - began))
