// What can be set is in docs/CONFIGURATION.md; the rest has its reason here.

/** What came meanwhile is written together: a run may make thousands of steps a second. */
export const FLUSH_MS = 1000;

/** MLflow is asked less often; each request takes at most so many numbers, which is its own limit. */
export const MLFLOW_FLUSH_MS = 5000;
export const MLFLOW_BATCH = 1000;
/** A server that does not answer must not fill the memory: the oldest numbers are let go. */
export const MLFLOW_MOST_WAITING = 100_000;
/** How long it may take to answer. */
export const MLFLOW_ANSWER_MS = 5000;

/** The Kubeflow Trainer asks not to be told more often: each time is a request to the API server. */
export const KUBEFLOW_PAUSE_MS = 5000;
/** How long it may take to answer. */
export const KUBEFLOW_ANSWER_MS = 5000;
/** What its schema of a TrainJob takes: so many metrics, with names of so many letters. */
export const KUBEFLOW_MOST_METRICS = 256;
export const KUBEFLOW_MOST_LETTERS = 64;

/** A timeline is written in batches of so many stations, each of which takes 48 bytes until then. */
export const TIMELINE_BATCH = 512;
/** Or after so long: what a process that is killed has not written is lost. */
export const TIMELINE_FLUSH_MS = 1000;
/** The most bytes of a timeline: some 500,000 stations, which viewers still open at ease. */
export const TIMELINE_BYTES = 64_000_000;
