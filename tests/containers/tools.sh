#!/bin/sh
# Makes what the test of the Helm chart uses besides Debian's packages, once, outside of the tree: helm (with go, some minutes) and
# kubernetes-validate, which has the schemas of Kubernetes in it.
set -eu
folder=${XDG_CACHE_HOME:-$HOME/.cache}/tutti/kubernetes
mkdir -p "$folder/bin"
if [ ! -x "$folder/bin/helm" ]; then
    echo "building helm into $folder"
    GOBIN=$folder/bin nice go install helm.sh/helm/v3/cmd/helm@v3.22.0
fi
if [ ! -x "$folder/bin/kubernetes-validate" ]; then
    echo "installing kubernetes-validate into $folder"
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install -q kubernetes-validate==1.37.0
    ln -sf ../venv/bin/kubernetes-validate "$folder/bin/kubernetes-validate"
fi
