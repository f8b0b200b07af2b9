import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TuttiError } from '@tutti/runtime';
import type { tf as types } from '../tf.js';
import { GRAPH_PREFIX, sweepGraphs, tryToRemove } from './left-over-graphs.js';
import { type AttributeTypes, loadMessages } from './messages.js';
import type { RecordedBackend, RecordedTensor, Recording } from './recording.js';
import type { Repeat } from './repeats.js';
import { savedModel } from './saved-model.js';

/** tfjs-node's backend, as far as graphs need it. */
export interface GraphBackend extends RecordedBackend {
  readonly binding: RecordedBackend['binding'] & AttributeTypes;
  incRef(dataId: object): void;
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(
    session: number,
    inputs: readonly RecordedTensor[],
    names: readonly { readonly name: string }[],
    outputs: readonly string[],
  ): types.Tensor[];
}

/** A recording as one graph, which TensorFlow has optimised. */
export interface Session {
  /** @param inputs tensors as those of the recording, in the order of its nodes */
  run(inputs: readonly RecordedTensor[]): types.Tensor[];
  close(): void;
}

/**
 * TensorFlow's addon reads graphs from folders only: this makes one, which is gone afterwards.
 * @param repeats parts of the recording that become functions: optimised once, called many times
 * @throws TuttiError STORAGE
 */
export function openSession(
  backend: GraphBackend,
  recording: Recording,
  repeats: readonly Repeat[],
): Session {
  const { bytes, inputs, outputs } = savedModel(
    recording,
    repeats,
    loadMessages(),
    backend.binding,
  );
  const session = inFolder(bytes, (folder) => backend.loadSavedModelMetaGraph(folder, 'serve'));
  const names = inputs.map((name) => ({ name }));
  return {
    run: (tensors) => backend.runSavedModel(session, tensors, names, outputs),
    close: () => backend.deleteSavedModel(session),
  };
}

function inFolder<T>(model: Uint8Array, task: (folder: string) => T): T {
  let folder: string | undefined;
  try {
    try {
      folder = mkdtempSync(join(tmpdir(), GRAPH_PREFIX));
      sweepGraphs(folder);
      writeFileSync(join(folder, 'saved_model.pb'), model);
    } catch (error) {
      // Not a reason to do without: results would differ from those of other machines.
      throw new TuttiError('STORAGE', `The graph of the gradient cannot be written: ${error}`, {
        remedy: 'Set TMPDIR to a folder with space, or `graph: false` in the program.',
        cause: error,
      });
    }
    return task(folder);
  } finally {
    if (folder !== undefined) tryToRemove(folder);
  }
}
