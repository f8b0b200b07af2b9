import { Worker } from 'node:worker_threads';
import { type ErrorRecord, errorFromRecord, TuttiError } from '@tutti/runtime';
import {
  type WriteCheckpointInit,
  type WrittenCheckpoint,
  writeCheckpoint,
} from './write-checkpoint.js';

/** Writes checkpoints, so that whoever has them written can go on with other things meanwhile. */
export interface CheckpointWriter {
  /**
   * As `writeCheckpoint`. The memory of parameters and slots passes to the writer: it cannot be
   * used afterwards.
   */
  write(init: WriteCheckpointInit): Promise<WrittenCheckpoint>;
  /** Ends it. What is being written is not finished. */
  close(): Promise<void>;
}

/** What passes to the thread, and back. */
export type WriteRequest = Omit<WriteCheckpointInit, 'fileSystem'>;
export type WriteReply = { readonly written: WrittenCheckpoint } | { readonly error: ErrorRecord };

/** From the sources too (in tests) it is the compiled file that a thread can run. */
const THREAD = new URL('../dist/writer-thread.js', import.meta.url);

/**
 * A writer with a thread of its own: hashing takes a while, and must not hold up the messages of a
 * training run. With a `fileSystem`, which cannot pass to a thread, it writes in this one.
 */
export function createCheckpointWriter(): CheckpointWriter {
  let thread: Worker | undefined;
  let queue: Promise<unknown> = Promise.resolve();

  function inThread(request: WriteRequest): Promise<WrittenCheckpoint> {
    thread ??= startThread();
    const worker = thread;
    const memory = [...request.parameters, ...(request.slots ?? [])].map(
      ({ values }) => values.buffer as ArrayBuffer,
    );
    return new Promise((resolve, reject) => {
      const settle = (task: () => void) => {
        worker.off('message', replied).off('error', failed).off('exit', exited);
        worker.unref();
        task();
      };
      const replied = (reply: WriteReply) =>
        settle(() =>
          'written' in reply ? resolve(reply.written) : reject(errorFromRecord(reply.error)),
        );
      const failed = (cause: unknown) => {
        thread = undefined;
        settle(() => reject(threadEnded(request, cause)));
      };
      const exited = () => failed(undefined);
      worker.on('message', replied).on('error', failed).on('exit', exited);
      worker.ref();
      worker.postMessage(request, [...new Set(memory)]);
    });
  }

  return {
    write({ fileSystem, ...request }) {
      const task = () =>
        fileSystem === undefined ? inThread(request) : writeCheckpoint({ ...request, fileSystem });
      const result = queue.then(task);
      queue = result.catch(() => {});
      return result;
    },
    async close() {
      const ending = thread;
      thread = undefined;
      await ending?.terminate();
    },
  };
}

function startThread(): Worker {
  const worker = new Worker(THREAD, { name: 'checkpoint writer' });
  // A thread that has nothing to write must not keep a process from ending.
  worker.unref();
  worker.on('error', () => {});
  return worker;
}

function threadEnded({ directory, step }: WriteRequest, cause: unknown): TuttiError {
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  return new TuttiError(
    'STORAGE',
    `The checkpoint of step ${step} was not written in ${directory}, as the thread that writes ended${reason}`,
    { remedy: 'Look for too little memory; the next checkpoint is written anew.', cause },
  );
}
