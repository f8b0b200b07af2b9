"""check-manifests.py FILE...: what the schemas of Kubernetes, JobSet and the Kubeflow Trainer say of objects.

Core objects, and the pods of others, go through kubernetes-validate, strictly. Objects of JobSet and of the Trainer
go through the models of kubeflow-trainer-api and back: what does not come back is no field of theirs.
"""

import json
import sys

import kubeflow_trainer_api.models as models
import kubernetes_validate
import yaml

MODELS = {
    "JobSet": models.JobsetV1alpha2JobSet,
    "TrainingRuntime": models.TrainerV1alpha1TrainingRuntime,
    "TrainJob": models.TrainerV1alpha1TrainJob,
}


def differences(before, after, path=""):
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before:
            if key not in after:
                yield f"{path}.{key} is no field"
            else:
                yield from differences(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for at, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, f"{path}[{at}]")
    elif before != after and str(before) != str(after):
        yield f"{path} is {before!r}, and came back as {after!r}"


def replicated_jobs(document):
    spec = document["spec"]
    if document["kind"] == "TrainingRuntime":
        spec = spec["template"]["spec"]
    return spec.get("replicatedJobs", [])


def faults_of(document):
    kind = document["kind"]
    if kind not in MODELS:
        yield from strictly(document)
        return
    try:
        model = MODELS[kind].from_dict(document)
    except Exception as error:  # Whatever a model raises is a fault of the document.
        yield str(error)
        return
    yield from differences(document, json.loads(json.dumps(model.to_dict(), default=str)))
    for job in replicated_jobs(document):
        name = job["name"]
        core = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": job["template"]["spec"]}
        yield from (f"{name}: {fault}" for fault in strictly(core))


def strictly(document):
    try:
        kubernetes_validate.validate(document, "1.34", strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


found = 0
for file in sys.argv[1:]:
    with open(file) as text:
        for document in filter(None, yaml.safe_load_all(text)):
            for fault in faults_of(document):
                print(f"{file}: {document['kind']} {document['metadata']['name']}: {fault}")
                found += 1
sys.exit(1 if found else 0)
