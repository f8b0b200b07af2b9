"""Prints what Keras itself makes of a few predictions: keras-numbers.test.ts compares ours with it.

    pip install keras==3.15.1 jax==0.10.2
    KERAS_BACKEND=jax python3 test/src/exact/keras/record.py > test/src/exact/keras/numbers.json
"""

import json
import math

import keras
import numpy

random = numpy.random.default_rng(7)
N, CLASSES, LABELS, STEPS = 40, 6, 3, 5


def rounded(values):
    # So that the file is small, and its decimals are the same float32 everywhere.
    return numpy.asarray(values).round(4).astype("float32")


def probabilities(*shape):
    scores = numpy.exp(2 * random.standard_normal(shape))
    return rounded(scores / scores.sum(-1, keepdims=True))


def metric(made, y_true, y_pred):
    # In two parts: all of them are over all examples.
    half = len(y_true) // 2
    made.update_state(y_true[:half], y_pred[:half])
    made.update_state(y_true[half:], y_pred[half:])
    return float(numpy.asarray(made.result()))


class Padded(keras.layers.Layer):
    """Takes the mask from the last number of each step."""

    def call(self, inputs):
        return inputs[..., :-1]

    def compute_mask(self, inputs, previous_mask=None):
        return inputs[..., -1] > 0


def model(*shape, outputs=keras.layers.Activation("linear")):
    inputs = keras.Input(shape)
    return keras.Model(inputs, outputs(inputs))


def evaluated(model, y_true, y_pred, **options):
    names = ["loss", *options.get("metrics", [])]
    weights = options.pop("sample_weight", None)
    model.compile(**options)
    values = model.test_on_batch(y_pred, y_true, sample_weight=weights)
    return dict(zip(names, [float(value) for value in numpy.atleast_1d(values)]))


def array(values):
    # The shortest decimals of a float32.
    return {"shape": list(values.shape), "data": [float(str(each)) for each in values.ravel()]}


def case(y_true, y_pred, numbers):
    return {"yTrue": array(y_true), "yPred": array(y_pred), "numbers": numbers}


m = keras.metrics
cases = {}

y, p = random.integers(0, 2, (N, 1)), rounded(random.uniform(size=(N, 1)))
cases["binary"] = case(y, p, {
    **evaluated(model(1), y, p, loss="binary_crossentropy", metrics=["accuracy"]),
    "binaryAccuracy": metric(m.BinaryAccuracy(threshold=0.3), y, p),
    "precision": metric(m.Precision(), y, p),
    "precisionAt": metric(m.Precision(thresholds=0.7), y, p),
    "recall": metric(m.Recall(), y, p),
    "f1": metric(m.F1Score(average="micro", threshold=0.5), y, p),
    "auc": metric(m.AUC(), y, p),
    "aucOf20": metric(m.AUC(num_thresholds=20), y, p),
})

y, p = random.integers(0, 2, (N, LABELS)), rounded(random.uniform(size=(N, LABELS)))
cases["labels"] = case(y, p, {
    **evaluated(model(LABELS), y, p, loss="binary_crossentropy"),
    "kerasAccuracy": evaluated(
        model(LABELS), y, p, loss="binary_crossentropy", metrics=["accuracy"]
    )["accuracy"],
    "accuracy": metric(m.BinaryAccuracy(), y, p),
    "precision": metric(m.Precision(), y, p),
    "precisionOf1": metric(m.Precision(class_id=1), y, p),
    "recall": metric(m.Recall(), y, p),
    "recallOf1": metric(m.Recall(class_id=1), y, p),
    "f1": metric(m.F1Score(average="micro", threshold=0.5), y, p),
    "auc": metric(m.AUC(), y, p),
})

y, p = random.integers(0, CLASSES, N), probabilities(N, CLASSES)
hot = numpy.eye(CLASSES)[y]
likely = keras.losses.sparse_categorical_crossentropy(y, p)
cases["classes"] = case(y, p, {
    **evaluated(
        model(CLASSES), y, p, loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    ),
    "categoricalLoss": evaluated(model(CLASSES), hot, p, loss="categorical_crossentropy")["loss"],
    "top2": metric(m.SparseTopKCategoricalAccuracy(k=2), y, p),
    "top5": metric(m.SparseTopKCategoricalAccuracy(), y, p),
    "precisionOf1": metric(m.Precision(class_id=1, top_k=1), hot, p),
    "recallOf1": metric(m.Recall(class_id=1, top_k=1), hot, p),
    "kerasPrecisionOf1": metric(m.Precision(class_id=1), hot, p),
    "precision": metric(m.Precision(), hot, p),
    # That of keras_hub: e to the mean cross-entropy.
    "perplexity": math.exp(float(numpy.mean(likely))),
})

weights = rounded(random.uniform(size=N) * 2)
class_weight = {0: 0.5, 1: 5.0, 4: 0.0}
trained = model(CLASSES)
trained.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
by_class = trained.train_on_batch(p, y, class_weight=class_weight)
cases["weights"] = {
    **case(y, p, {
        "byClass": float(by_class[0]),
        "byExample": evaluated(
            model(CLASSES), y, p, loss="sparse_categorical_crossentropy", sample_weight=weights
        )["loss"],
        "accuracy": float(by_class[1]),
    }),
    "classWeight": class_weight,
    "exampleWeight": array(weights)["data"],
}

y, p = rounded(random.standard_normal((N, 2)) * 3), rounded(random.standard_normal((N, 2)) * 3)
p = rounded(0.7 * y + 0.3 * p)
cases["numbers"] = case(y, p, {
    "loss": evaluated(model(2), y, p, loss="mean_squared_error")["loss"],
    "meanAbsoluteError": metric(m.MeanAbsoluteError(), y, p),
    "meanSquaredError": metric(m.MeanSquaredError(), y, p),
    "rootMeanSquaredError": metric(m.RootMeanSquaredError(), y, p),
    "r2": metric(m.R2Score(), y, p),
})


def masked(lengths):
    y, p = random.integers(0, CLASSES, (N, STEPS)), probabilities(N, STEPS, CLASSES)
    there = (numpy.arange(STEPS) < lengths[:, None]).astype("float32")
    found = evaluated(
        model(STEPS, CLASSES + 1, outputs=Padded()), y, numpy.concatenate([p, there[..., None]], -1),
        loss="sparse_categorical_crossentropy", metrics=["accuracy"],
    )
    likely = numpy.asarray(keras.losses.sparse_categorical_crossentropy(y, p))
    found["perplexity"] = math.exp(float((likely * there).sum() / there.sum()))
    return {**case(y, p, found), "mask": array(there)}


cases["maskedAlike"] = masked(numpy.full(N, 3))
cases["masked"] = masked(random.integers(1, STEPS + 1, N))

versions = {"keras": keras.__version__, "backend": keras.backend.backend(), "numpy": numpy.__version__}
print(json.dumps({"versions": versions, "cases": cases}, allow_nan=False))
