"""Gradients by Python's tf.function: a line {"model", "batch", "iterations"} in, processor ms of one out."""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
layers = tf.keras.layers


def convnet():
    return (28, 28, 1), 10, [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]


def lstm():
    return (40, 64), 10, [layers.LSTM(128), layers.Dense(10)]


def dense():
    return (784,), 10, [
        layers.Dense(512, activation="relu"),
        layers.Dense(512, activation="relu"),
        layers.Dense(10),
    ]


MODELS = {"convnet": convnet, "lstm": lstm, "dense": dense}


def prepare(name, batch):
    shape, classes, stack = MODELS[name]()
    model = tf.keras.Sequential([layers.Input(shape), *stack])
    x = tf.constant(np.random.rand(batch, *shape).astype(np.float32))
    y = tf.constant(np.random.randint(0, classes, batch).astype(np.int32))

    @tf.function
    def gradient(x, y):
        with tf.GradientTape() as tape:
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True))
            loss = tf.reduce_sum(losses)
        return loss, tape.gradient(loss, model.trainable_variables)

    def once():
        loss, gradients = gradient(x, y)
        return float(loss), [each.numpy() for each in gradients]

    for _ in range(3):
        once()
    return once


prepared = {}
for line in sys.stdin:
    task = json.loads(line)
    key = (task["model"], task["batch"])
    if key not in prepared:
        prepared[key] = prepare(*key)
    before = time.process_time()
    for _ in range(task["iterations"]):
        prepared[key]()
    print(1000 * (time.process_time() - before) / task["iterations"], flush=True)
