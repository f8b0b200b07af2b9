/**
 * For V8, which counts the memory of arrays as its own and marks all of the heap when they have grown
 * by half: with gradients of megabytes that is every few steps, for 10 to 30 ms, and all others wait
 * for this worker. Now it is when they have grown fourfold.
 */
export const SELDOM_MARKING = '--heap-growing-percent=300';

/** What a worker process is started with. The heap is small: helping threads cost more than they bring. */
export const WORKER_NODE_OPTIONS: readonly string[] = [SELDOM_MARKING, '--single-threaded-gc'];

/**
 * The environment of a worker process. It must be there when the process starts: TensorFlow and
 * malloc read it once.
 */
export function workerEnvironment(
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const defaults: Record<string, string> = {
    // One computing thread a worker: the unit that is scaled, and part of what decides the bits.
    TF_NUM_INTRAOP_THREADS: '1',
    TF_NUM_INTEROP_THREADS: '1',
    // TensorFlow's notes on CPU features are not for the user of a training run.
    TF_CPP_MIN_LOG_LEVEL: '2',
    // Big tensors are not mapped and faulted in anew at each operation (glibc; ignored elsewhere).
    MALLOC_MMAP_THRESHOLD_: '1073741824',
    MALLOC_TRIM_THRESHOLD_: '1073741824',
    MALLOC_TOP_PAD_: '67108864',
  };
  const unset = Object.entries(defaults).filter(([name]) => own[name] === undefined);
  return Object.fromEntries(unset);
}
